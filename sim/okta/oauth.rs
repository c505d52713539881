//! Signing in: API tokens, and access tokens of service apps (client credentials with `private_key_jwt`).
//!
//! Source: Okta's developer documentation, "Implement OAuth for Okta with a service app"; the OpenAPI document
//! of the org authorization server.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::event::Entity;
use super::exchange::{Answer, Call};
use super::jose::{Jwt, thumbprint};
use super::proof::Proofs;
use super::routes::Asks;
use super::world::World;

/// An access token's life, which Okta has fixed.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

const TOKEN_PATH: &str = "/oauth2/v1/token";

/// What the org's authorization server knows.
#[derive(Debug, Clone, Default)]
pub(super) struct OAuth {
    pub clients: Vec<Client>,
    pub tokens: Vec<Token>,
    pub proofs: Proofs,
    used_assertions: HashSet<String>,
}

/// A service app.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub id: String,
    /// A JWK.
    pub public_key: Value,
    /// What a super administrator granted.
    pub scopes: Vec<String>,
    pub needs_proof: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    value: String,
    client: String,
    scopes: Vec<String>,
    expires: Timestamp,
    /// The thumbprint of the key it is bound to.
    key: Option<String>,
}

impl World {
    /// Who asks. The token endpoint finds out by itself.
    pub(super) fn authenticate(&mut self, call: &Call) -> Result<Asks, Answer> {
        if call.path == TOKEN_PATH {
            return Ok(Asks::Nobody);
        }
        let Some(authorization) = call.header("authorization") else {
            return Err(Answer::error(401, "E0000005", "Invalid session", &[]));
        };
        match authorization.split_once(' ') {
            Some(("SSWS", token)) if token == self.api_token => {
                let token = Some(self.api_token_id.clone());
                Ok(Asks::Token(Entity { token, ..self.user_entity(&self.admin) }))
            }
            Some((scheme @ ("Bearer" | "DPoP"), token)) => self.bearer(call, scheme, token),
            _ => Err(Answer::invalid_token()),
        }
    }

    fn bearer(&mut self, call: &Call, scheme: &str, token: &str) -> Result<Asks, Answer> {
        let now = self.now();
        let known = self.oauth.tokens.iter().find(|known| known.value == token && now < known.expires);
        let scheme_fits = |known: &&Token| known.key.is_some() == (scheme == "DPoP");
        let Some(known) = known.filter(scheme_fits).cloned() else {
            let challenge = self.challenge(call, scheme, "invalid_token", "The access token is invalid.");
            return Err(Answer::invalid_token().with("www-authenticate", challenge));
        };
        if let Some(key) = &known.key {
            // Okta compares `htu` with the decoded path.
            let url = format!("{}{}", self.url, super::routes::decoded(&call.path));
            let proven = self.oauth.proofs.check(call, &url, Some(token), now);
            let right = proven.and_then(|proven| match proven.key == *key {
                true => Ok(()),
                false => {
                    Err("The DPoP proof JWT is not of the key that the access token is bound to.".to_owned())
                }
            });
            if let Err(description) = right {
                let challenge = self.challenge(call, scheme, "invalid_dpop_proof", &description);
                return Err(Answer::empty(400).with("www-authenticate", challenge).spoilt());
            }
        }
        Ok(Asks::Client { id: known.client, scopes: known.scopes })
    }

    fn challenge(&self, call: &Call, scheme: &str, error: &str, description: &str) -> String {
        let (url, path) = (&self.url, &call.path);
        format!(
            "{scheme} authorization_uri=\"{url}/oauth2/v1/authorize\", realm=\"{url}\", error=\"{error}\", \
             error_description=\"{description}\", resource=\"{path}\""
        )
    }

    /// `POST /oauth2/v1/token`.
    pub(super) fn grants_token(&mut self, call: &Call) -> Result<Answer, Answer> {
        let form: Vec<_> = form_urlencoded::parse(call.body.as_bytes()).into_owned().collect();
        let field = |name: &str| form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        if field("grant_type") != "client_credentials" {
            let description = "The authorization grant type is not supported by the authorization server.";
            return Err(Answer::oauth(400, "unsupported_grant_type", description));
        }
        let client = self.client_of(field("client_assertion_type"), field("client_assertion"))?;
        let scopes: Vec<_> = field("scope").split_whitespace().map(str::to_owned).collect();
        if scopes.is_empty() || !scopes.iter().all(|scope| client.scopes.contains(scope)) {
            let description = "One or more scopes are not configured for the authorization server resource.";
            return Err(Answer::oauth(400, "invalid_scope", description));
        }
        let key = match client.needs_proof || call.header("dpop").is_some() {
            true => Some(self.proven_key(call, &client)?),
            false => None,
        };
        let token_type = if key.is_some() { "DPoP" } else { "Bearer" };
        let value = self.ids.letters("eyJ", 79);
        let scope = scopes.join(" ");
        let expires = self.now() + LIFETIME;
        self.oauth.tokens.push(Token { value: value.clone(), client: client.id, scopes, expires, key });
        let body = json!({
            "token_type": token_type, "expires_in": LIFETIME.as_secs(), "access_token": value, "scope": scope,
        });
        let answer = Answer::json(200, &body).with("cache-control", "no-store");
        Ok(if token_type == "DPoP" { self.with_nonce(answer) } else { answer })
    }

    /// The service app that signed the assertion.
    fn client_of(&mut self, kind: &str, assertion: &str) -> Result<Client, Answer> {
        let refused = |description: &str| Answer::oauth(401, "invalid_client", description);
        if kind != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
            return Err(refused("Client authentication failed. Use private_key_jwt."));
        }
        let jwt = Jwt::parse(assertion).ok_or_else(|| refused("The client_assertion token is malformed."))?;
        let client = self.oauth.clients.iter().find(|client| client.id == jwt.claim("iss"));
        let Some(client) = client.cloned() else {
            return Err(refused("Invalid value for 'client_id' parameter."));
        };
        if jwt.claim("sub") != client.id {
            return Err(refused("The client_assertion's 'sub' is not the client's id."));
        }
        let audience = format!("{}{TOKEN_PATH}", self.url);
        let audiences = [&jwt.claims["aud"], &jwt.claims["aud"][0]];
        if !audiences.iter().any(|known| known.as_str() == Some(&audience)) {
            return Err(refused(&format!("The audience claim for client_assertion must be '{audience}'.")));
        }
        if !jwt.is_signed_by(&client.public_key) {
            return Err(refused("The client_assertion signature is invalid."));
        }
        let now = self.now().as_second();
        match jwt.seconds("exp") {
            Some(expires) if expires <= now => return Err(refused("The client_assertion token is expired.")),
            Some(expires) if expires <= now + LIFETIME.as_secs() => {}
            _ => {
                return Err(refused("The client_assertion token has an expiration too far into the future."));
            }
        }
        let id = jwt.claim("jti");
        if !id.is_empty() && !self.oauth.used_assertions.insert(id.to_owned()) {
            return Err(refused("The client_assertion token has already been used."));
        }
        Ok(client)
    }

    /// The thumbprint of the key that the token is to be bound to.
    fn proven_key(&mut self, call: &Call, client: &Client) -> Result<String, Answer> {
        let now = self.now();
        let url = format!("{}{TOKEN_PATH}", self.url);
        let invalid = |description: &str| Answer::oauth(400, "invalid_dpop_proof", description);
        let proven = self.oauth.proofs.check(call, &url, None, now).map_err(|why| invalid(&why))?;
        if thumbprint(&client.public_key).as_ref() == Some(&proven.key) {
            return Err(invalid("The DPoP proof JWT is signed with the key of the client."));
        }
        if !self.oauth.proofs.takes(&proven.nonce, now) {
            let answer =
                Answer::oauth(400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof.");
            return Err(self.with_nonce(answer));
        }
        Ok(proven.key)
    }

    fn with_nonce(&mut self, answer: Answer) -> Answer {
        let now = self.now();
        let nonce = self.oauth.proofs.nonce(&mut self.ids, now);
        answer.with("dpop-nonce", nonce)
    }
}
