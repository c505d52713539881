"""discord.py, as it is from PyPI, at the simulated Discord. Only the base URLs differ from a real bot's."""

import json
import os

import discord
import yarl
from discord import app_commands

AT = json.loads(os.environ["SIMULATED"])
discord.http.Route.BASE = f"{AT['url']}/api/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{AT['url'].replace('http', 'ws', 1)}/gateway")


class Again(discord.ui.View):
    @discord.ui.button(label="Again", style=discord.ButtonStyle.primary)
    async def again(self, interaction: discord.Interaction, _: discord.ui.Button):
        await interaction.response.edit_message(content=f"Hello again, {interaction.user.display_name}.", view=None)


class Bot(discord.Client):
    def __init__(self):
        super().__init__(intents=discord.Intents(guilds=True))
        self.tree = app_commands.CommandTree(self)

    async def setup_hook(self):
        guild = discord.Object(int(AT["guild"]))

        @self.tree.command(name="hello", description="Says hello.", guild=guild)
        async def hello(interaction: discord.Interaction, name: str):
            await interaction.response.defer(ephemeral=True)
            await interaction.edit_original_response(content=f"Hello, {name}.", view=Again())

        await self.tree.sync(guild=guild)

    async def on_ready(self):
        channel = await self.fetch_channel(int(AT["channel"]))
        message = await channel.send("first")
        await message.edit(content="second")


Bot().run(AT["token"])
