//! Names of entries and targets of links, as names within the archive. Pure, and never a path of this
//! machine.

/// What is wrong with a name that no file of a layout can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    Absolute,
    Climbs,
    Empty,
    HasNul,
    /// A file whose name ends with a slash, which some readers take for a directory.
    EndsWithSlash,
}

impl Oddity {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Absolute => "its name is absolute",
            Self::Climbs => "its name has '..' in it and may lead outside of the archive",
            Self::Empty => "its name is empty",
            Self::HasNul => "its name holds a NUL",
            Self::EndsWithSlash => "its name ends with a slash, though it is no directory",
        }
    }
}

/// The plain form of a file's name, without `.` and empty components.
pub(super) fn normalize(name: &str) -> Result<String, Oddity> {
    if name.contains('\0') {
        return Err(Oddity::HasNul);
    }
    if name.starts_with('/') {
        return Err(Oddity::Absolute);
    }
    if name.split('/').any(|component| component == "..") {
        return Err(Oddity::Climbs);
    }
    let plain = join(name.split('/'));
    if plain.is_empty() {
        return Err(Oddity::Empty);
    }
    if name.ends_with('/') {
        return Err(Oddity::EndsWithSlash);
    }
    Ok(plain)
}

/// What an odd name would be taken for if it were tidied up.
pub(super) fn tidied(name: &str) -> String {
    let name = name.replace('\0', "");
    join(name.split('/').filter(|component| *component != ".."))
}

fn join<'a>(components: impl Iterator<Item = &'a str>) -> String {
    let kept: Vec<&str> = components
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    kept.join("/")
}

/// The entry that a link in the directory `from` leads to; `None` if that is none of this archive's.
pub(super) fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() || target.starts_with('/') || target.contains('\0') {
        return None;
    }
    let mut components: Vec<&str> = Vec::new();
    for component in from.split('/').chain(target.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            component => components.push(component),
        }
    }
    (!components.is_empty()).then(|| components.join("/"))
}
