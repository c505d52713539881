//! JSON that never breaks a reader: unknown fields, nulls, other types and other spellings of a key are all borne.
//!
//! What Okta sends grows without notice, and exports of its log write keys in lower case, numbers for strings and
//! null for nothing. So no value has a wrong type here: what cannot be used reads as missing, and whoever needs it
//! says so. Text is borrowed from the input wherever it has no escapes.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

/// The methods of a [`Visitor`] for all kinds of JSON that are of no use to it: they read as missing.
macro_rules! missing_from {
    ($lifetime:lifetime: $($kind:ident)*) => { $( $crate::okta::lenient::missing_from!(@ $lifetime $kind); )* };
    (@ $l:lifetime bool) => { $crate::okta::lenient::missing_from!(# visit_bool bool); };
    (@ $l:lifetime number) => {
        $crate::okta::lenient::missing_from!(# visit_i64 i64);
        $crate::okta::lenient::missing_from!(# visit_u64 u64);
        $crate::okta::lenient::missing_from!(# visit_f64 f64);
    };
    (@ $l:lifetime text) => { $crate::okta::lenient::missing_from!(# visit_str &str); };
    (@ $l:lifetime null) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
    (@ $l:lifetime list) => {
        fn visit_seq<A: serde::de::SeqAccess<$l>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (@ $l:lifetime object) => {
        fn visit_map<A: serde::de::MapAccess<$l>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
    (# $visit:ident $kind:ty) => {
        fn $visit<E: serde::de::Error>(self, _: $kind) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}
pub(crate) use missing_from;

/// An object of which some fields are wanted. Keys are compared without regard to case; of two with one name, the
/// last that says something counts; anything that is not an object reads as one without fields.
macro_rules! wanted {
    ($($(#[$doc:meta])* struct $name:ident<$l:lifetime> { $($field:ident: $kind:ty = $key:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Default)]
        struct $name<$l> { $($field: $kind,)* }

        impl $crate::okta::lenient::MayBeMissing for $name<'_> {
            fn is_missing(&self) -> bool {
                true $(&& self.$field.is_missing())*
            }
        }

        impl<$l> serde::Deserialize<$l> for $name<$l> {
            fn deserialize<D: serde::Deserializer<$l>>(deserializer: D) -> Result<Self, D::Error> {
                struct Wanted<$l>(std::marker::PhantomData<&$l ()>);
                impl<$l> serde::de::Visitor<$l> for Wanted<$l> {
                    type Value = $name<$l>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("a ", stringify!($name)))
                    }

                    fn visit_map<A: serde::de::MapAccess<$l>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut found = $name::default();
                        while let Some(key) = map.next_key::<$crate::okta::lenient::Key<'_>>()? {
                            use $crate::okta::lenient::MayBeMissing as _;
                            $(if key.is($key) {
                                let value: $kind = map.next_value()?;
                                if !value.is_missing() {
                                    found.$field = value;
                                }
                                continue;
                            })*
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        Ok(found)
                    }

                    $crate::okta::lenient::missing_from!($l: bool number text null list);
                }
                deserializer.deserialize_any(Wanted(std::marker::PhantomData))
            }
        }
    )* };
}
pub(crate) use wanted;

/// What reads as nothing where its JSON is of no use.
pub(crate) trait MayBeMissing {
    /// Whether nothing was said.
    fn is_missing(&self) -> bool;
}

/// A key of an object.
pub(crate) struct Key<'a>(Cow<'a, str>);

impl Key<'_> {
    /// Whether it is `name`, written in any case: exports of the log have `eventtype` for `eventType`.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name)
    }

    /// Whether it is `name` (given in lower case, without `_`), written as `snake_case` or `camelCase`.
    pub(crate) fn is_spelled(&self, name: &str) -> bool {
        let letters = self.0.bytes().filter(|&byte| byte != b'_').map(|byte| byte.to_ascii_lowercase());
        letters.eq(name.bytes())
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}

/// A text, or a number or truth value where a text should be.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(Option<Cow<'a, str>>);

impl MayBeMissing for Text<'_> {
    fn is_missing(&self) -> bool {
        self.0.is_none()
    }
}

impl Text<'_> {
    /// The text without blanks around it; `None` if nothing is left.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// [`get`](Self::get), owned.
    pub(crate) fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                // PostgreSQL stores no NUL; only an escape can bring one, and it means nothing.
                Ok(Text(Some(Cow::Owned(text.replace('\0', "\u{fffd}")))))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(if truth { "true" } else { "false" }))))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }

            missing_from!('de: null list object);
        }
        deserializer.deserialize_any(Borrowing)
    }
}

/// A list; anything that is no list reads as an empty one.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> MayBeMissing for List<T> {
    fn is_missing(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collecting<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Collecting<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(List(items))
            }

            missing_from!('de: bool number text null object);
        }
        deserializer.deserialize_any(Collecting(std::marker::PhantomData))
    }
}

/// A date as Okta and exports of its log write it: with `T` or a blank, with any number of decimals, with an offset
/// or without one, which means UTC.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    let parse = |text: &str| {
        text.parse::<Timestamp>().ok().or_else(|| {
            let civil: DateTime = text.parse().ok()?;
            Some(civil.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
        })
    };
    parse(text).or_else(|| {
        // More decimals than there are nanoseconds.
        let dot = text.find('.')?;
        let end = text[dot + 1..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| dot + 1 + at);
        parse(&format!("{}{}", text.get(..dot + 10)?, text.get(end..)?))
    })
}
