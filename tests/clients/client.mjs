// discord.js, as it is from npm, at the simulated Discord. Only the base URL differs from a real bot's.

import { ActionRowBuilder, ButtonBuilder, ButtonStyle, Client, Events, GatewayIntentBits, SlashCommandBuilder } from "discord.js";

const at = JSON.parse(process.env.SIMULATED);
const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: `${at.url}/api` } });

const hello = new SlashCommandBuilder().setName("hello").setDescription("Says hello.")
  .addStringOption((option) => option.setName("name").setDescription("To whom.").setRequired(true));
const again = new ActionRowBuilder().addComponents(
  new ButtonBuilder().setCustomId("again").setLabel("Again").setStyle(ButtonStyle.Primary));

client.once(Events.ClientReady, async () => {
  const guild = await client.guilds.fetch(at.guild);
  await guild.commands.set([hello.toJSON()]);
  const channel = await client.channels.fetch(at.channel);
  const message = await channel.send("first");
  await message.edit("second");
});

client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isChatInputCommand()) {
    await interaction.deferReply({ flags: 64 });
    await interaction.editReply({ content: `Hello, ${interaction.options.getString("name")}.`, components: [again] });
  }
  if (interaction.isButton()) await interaction.update({ content: `Hello again, ${interaction.user.displayName}.`, components: [] });
});

process.on("SIGTERM", async () => {
  await client.destroy();
  process.exit(0);
});
await client.login(at.token);
