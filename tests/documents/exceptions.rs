//! What the documents get wrong themselves, and how we know.
//!
//! **Invariant:** nothing here makes room for the product or a simulator. An entry needs a sample of the real service, a
//! published example, or a sentence of the same publisher's prose; `tests/documented.rs` shows one for each pointer and
//! fails if an entry is no longer met by any.

use serde_json::{Value, json};

use super::complaint::{Complaint, Place};

/// One mistake in a document.
pub struct Exception {
    /// The operations' names in the document; `*` for all of them.
    pub operations: &'static [&'static str],
    /// The part of the exchange.
    pub place: Place,
    /// Where in that part; `*` stands for one step, `**` for any number of them.
    pub pointers: &'static [&'static str],
    /// What the complaint says, or a part of it.
    pub message: &'static str,
    /// Why the document is wrong and the exchange is right.
    pub why: &'static str,
}

const UNKNOWN: &str = "the document knows no such field";
const NULL: &str = "null is not";

/// Every mistake we know of.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        operations: &["listLogEvents"],
        place: Place::Answer(200),
        pointers: &[
            "/*/actor/detailEntry",
            "/*/authenticationContext/*",
            "/*/client/*",
            "/*/client/geographicalContext/*",
            "/*/legacyEventType",
            "/*/outcome/reason",
            "/*/request/ipChain/*/geographicalContext",
            "/*/request/ipChain/*/source",
            "/*/request/ipChain/*/geographicalContext/*",
            "/*/target/*/alternateId",
            "/*/target/*/detailEntry",
            "/*/target/*/displayName",
            "/*/transaction/detail",
        ],
        message: NULL,
        why: "Okta's own examples and every event recorded from an org have null where an event lacks something",
    },
    Exception {
        operations: &["listLogEvents"],
        place: Place::Answer(200),
        pointers: &["/*/version"],
        message: "0 is not of type \"string\"",
        why: "Okta's own examples have the number 0, recorded events the string \"0\"",
    },
    Exception {
        operations: &["listLogEvents"],
        place: Place::Answer(200),
        pointers: &[
            "/*/client/geographicalContext/postalCode",
            "/*/request/ipChain/*/geographicalContext/postalCode",
        ],
        message: "is not of type \"string\"",
        why: "Okta's own examples have a number",
    },
    Exception {
        operations: &["listLogEvents"],
        place: Place::Answer(200),
        pointers: &["/*/device", "/*/authenticationContext/rootSessionId"],
        message: UNKNOWN,
        why: "Okta's own examples and recorded events have it",
    },
    Exception {
        operations: &["getApplication", "listApplications"],
        place: Place::Answer(200),
        pointers: &[
            "**/accessibility/errorRedirectUrl",
            "**/accessibility/loginRedirectUrl",
            "**/settings/notes/admin",
            "**/settings/notes/enduser",
            "**/settings/notifications/vpn/helpUrl",
            "**/settings/notifications/vpn/message",
            "**/settings/signOn/*",
            "**/universalLogout",
        ],
        message: NULL,
        why: "recorded apps have null for a setting that nobody made",
    },
    Exception {
        operations: &["getApplication", "listApplications"],
        place: Place::Answer(200),
        pointers: &["**/settings/signOn"],
        message: "is a required property",
        why: "recorded SAML apps lack what the document requires, since a catalog app decides it itself",
    },
    Exception {
        operations: &["getApplication", "listApplications"],
        place: Place::Answer(200),
        pointers: &["**/name"],
        message: "is not one of \"oidc_client\"",
        why: "recorded OpenID Connect apps from the catalog have their own names",
    },
    Exception {
        operations: &["getApplication", "listApplications"],
        place: Place::Answer(200),
        pointers: &["**/signOnMode"],
        message: NULL,
        why: "recorded apps without single sign-on have null",
    },
    Exception {
        operations: &["getApplication", "listApplications"],
        place: Place::Answer(200),
        pointers: &["**/name", "**/settings", "**/credentials"],
        message: UNKNOWN,
        why: "the document has these fields for each sign-on mode, but recorded apps without one have them too",
    },
    Exception {
        operations: &["getApplication", "listApplications"],
        place: Place::Answer(200),
        pointers: &[
            "**/settings/app",
            "**/settings/manualProvisioning",
            "**/_links/clientCredentials",
            "**/_links/policies",
            "**/_links/profileEnrollment",
            "**/_links/uploadLogo",
        ],
        message: UNKNOWN,
        why: "recorded apps have it",
    },
    Exception {
        operations: &[
            "getApplicationUser",
            "listApplicationUsers",
            "assignUserToApplication",
            "updateApplicationUser",
            "getApplication",
            "listApplications",
        ],
        place: Place::Answer(200),
        pointers: &["**/externalId"],
        message: NULL,
        why: "recorded app users have null until the app has given them an identifier",
    },
    Exception {
        operations: &["updateApplicationUser"],
        place: Place::Request,
        pointers: &[""],
        message: "is valid under more than one of the schemas",
        why: "the document offers credentials or a profile, but neither branch forbids the other's field, so that \
              everything fits both",
    },
    Exception {
        operations: &["getFeatureForApplication", "listFeaturesForApplication"],
        place: Place::Answer(200),
        pointers: &[
            "**/capabilities/importSettings/schedule/fullImport",
            "**/capabilities/importSettings/schedule/incrementalImport",
        ],
        message: NULL,
        why: "recorded features have null where no import is scheduled",
    },
    Exception {
        operations: &["getFeatureForApplication", "listFeaturesForApplication"],
        place: Place::Answer(200),
        pointers: &["**/capabilities/importSettings/username"],
        message: "\"usernameFormat\" is a required property",
        why: "recorded features spell it `userNameFormat`",
    },
    Exception {
        operations: &["getFeatureForApplication", "listFeaturesForApplication"],
        place: Place::Answer(200),
        pointers: &["**/capabilities/importSettings/username/userNameFormat"],
        message: UNKNOWN,
        why: "recorded features spell `usernameFormat` like this",
    },
    Exception {
        operations: &["token"],
        place: Place::Request,
        pointers: &["/client_assertion", "/client_assertion_type"],
        message: UNKNOWN,
        why: "the document names client authentication with a signed assertion as a security scheme, and its fields in \
              prose only (RFC 7523, section 2.2)",
    },
    Exception {
        operations: &["token"],
        place: Place::Answer(200),
        pointers: &["/token_type"],
        message: "\"DPoP\" is not one of",
        why: "Okta's guide on DPoP and RFC 9449, section 5, have `DPoP` for a token that is bound to a key",
    },
    Exception {
        operations: &["*"],
        place: Place::Request,
        pointers: &["/attachments/*/id", "/data/attachments/*/id"],
        message: "is not of type \"string\"",
        why: "Discord's page on uploading files names a file by its number, and its example writes it as one",
    },
    Exception {
        operations: &["*"],
        place: Place::Answer(429),
        pointers: &[""],
        message: "\"code\" is a required property",
        why: "Discord's page on rate limits has `code` as optional in a 429, and its example is without",
    },
    Exception {
        operations: &["*"],
        place: Place::Answer(400),
        pointers: &["/errors/**/_errors/*/code"],
        message: "\" is not of type \"integer\"",
        why: "Discord's page on error messages has a word there in each of its examples, as in BASE_TYPE_REQUIRED",
    },
];

/// One place where a document is vague or wrong, and means a schema that it has elsewhere.
pub struct Correction {
    /// Where in the document.
    pub pointer: &'static str,
    /// What is there but for its description, in JSON.
    pub says: &'static str,
    /// The component that is meant.
    pub means: &'static str,
    /// How we know.
    pub why: &'static str,
}

/// All of them, in Okta's document of the management API.
pub const CORRECTIONS: &[Correction] = &[
    Correction {
        pointer: "/components/schemas/Application/properties/_embedded/properties/user",
        says: r#"{"additionalProperties":{"properties":{},"type":"object"},"type":"object"}"#,
        means: "AppUser",
        why: "its description calls it an application user, whose fields are texts and not objects",
    },
    Correction {
        pointer: "/components/schemas/AppUser/properties/_embedded/additionalProperties",
        says: r#"{"properties":{},"type":"object"}"#,
        means: "User",
        why: "the parameter `expand` embeds the user and knows nothing else to embed",
    },
];

/// Puts into `document` what it means.
///
/// # Panics
///
/// If it no longer says what is corrected: a newer document may have mended it.
pub fn correct(document: &mut Value) {
    for Correction { pointer, says, means, why } in CORRECTIONS {
        let mut bare = document.pointer(pointer).cloned().unwrap_or_default();
        bare.as_object_mut().map(|schema| schema.remove("description"));
        let unchanged = serde_json::from_str(says).is_ok_and(|says: Value| says == bare);
        assert!(unchanged, "the document has changed at {pointer} ({why}): {bare}");
        if let Some(schema) = document.pointer_mut(pointer) {
            *schema = json!({ "$ref": format!("#/components/schemas/{means}") });
        }
    }
}

/// Why a complaint is the document's own mistake, if it is.
pub fn excuse(complaint: &Complaint) -> Option<&'static str> {
    EXCEPTIONS.iter().find(|exception| exception.pointer(complaint).is_some()).map(|exception| exception.why)
}

impl Exception {
    /// The one of the pointers that covers `complaint`, if this mistake explains it.
    pub fn pointer(&self, complaint: &Complaint) -> Option<&'static str> {
        let about = self.place == complaint.place
            && self.operations.iter().any(|name| *name == "*" || *name == complaint.operation)
            && complaint.message.contains(self.message);
        let steps: Vec<&str> = complaint.pointer.split('/').collect();
        let covers = |pattern: &&&str| points_at(&pattern.split('/').collect::<Vec<_>>(), &steps);
        if about { self.pointers.iter().find(covers).copied() } else { None }
    }
}

fn points_at(pattern: &[&str], steps: &[&str]) -> bool {
    match (pattern, steps) {
        (["**", pattern @ ..], steps) => {
            (0..=steps.len()).any(|skipped| points_at(pattern, &steps[skipped..]))
        }
        ([wanted, pattern @ ..], [step, steps @ ..]) => {
            (*wanted == "*" || wanted == step) && points_at(pattern, steps)
        }
        (pattern, steps) => pattern.is_empty() && steps.is_empty(),
    }
}
