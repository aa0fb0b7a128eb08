//! JSON that can be understood in one way only.
//!
//! A registry, a builder and this crate read the same manifest with different libraries. Where those
//! disagree (a key that stands twice, a key that differs from a known one by case alone, something after
//! the document) one of them would publish another image than the others see, so it is refused here
//! (<https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m>).
//! What merely is unknown is not refused: the specifications demand that it be tolerated.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess};

use crate::error::OpenError;

/// The keys that decide what a document means.
const KNOWN: [&str; 18] = [
    "annotations",
    "architecture",
    "artifactType",
    "config",
    "data",
    "digest",
    "imageLayoutVersion",
    "layers",
    "manifests",
    "mediaType",
    "os",
    "os.version",
    "platform",
    "schemaVersion",
    "size",
    "subject",
    "urls",
    "variant",
];

/// Parses a document of which there must be exactly one reading. `serde_json` limits the depth.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, OpenError> {
    unambiguous(bytes)
        .and_then(|()| serde_json::from_slice(bytes))
        .map_err(|source| OpenError::Json {
            what: what.to_owned(),
            source,
        })
}

fn unambiguous(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Unambiguous {
        keys_are_free: false,
        place: Place::Object,
    }
    .deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Looks at any value and keeps nothing of it.
#[derive(Clone, Copy)]
struct Unambiguous {
    /// Whether keys are data, as those of annotations are, and may differ by case alone.
    keys_are_free: bool,
    place: Place,
}

/// What may stand somewhere. `serde` reads a list as an object whose fields it names in their order;
/// nobody else does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An object and no list.
    Object,
    /// A list of objects.
    Objects,
    /// Anything.
    Any,
}

impl Place {
    /// What a property of an object may be.
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::Object, "config" | "platform" | "subject") => Self::Object,
            (Self::Object, "layers" | "manifests") => Self::Objects,
            _ => Self::Any,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Unambiguous {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for Unambiguous {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let place = match self.place {
            Place::Object => {
                return Err(A::Error::custom("a list stands where an object should"));
            }
            Place::Objects => Place::Object,
            Place::Any => Place::Any,
        };
        let element = Self { place, ..self };
        while list.next_element_seed(element)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen: HashSet<String> = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !self.keys_are_free
                && let Some(known) = taken_for(&key)
            {
                return Err(A::Error::custom(format_args!(
                    "key {key:?} can be taken for {known:?}"
                )));
            }
            let keys_are_free = self.keys_are_free || key == "annotations";
            if seen.contains(&key) {
                return Err(A::Error::custom(format_args!("duplicate key {key:?}")));
            }
            let place = self.place.of(&key);
            seen.insert(key);
            map.next_value_seed(Self {
                keys_are_free,
                place,
            })?;
        }
        Ok(())
    }
}

/// The known key that a Go program would take `key` for.
fn taken_for(key: &str) -> Option<&'static str> {
    KNOWN
        .into_iter()
        .find(|known| *known != key && known.chars().map(fold).eq(key.chars().map(fold)))
}

/// Go compares keys by Unicode case folding, in which two letters outside ASCII equal ones inside
/// (<https://pkg.go.dev/encoding/json#Unmarshal>).
fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests;
