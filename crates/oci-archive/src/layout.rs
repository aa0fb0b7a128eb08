//! The files of an OCI image layout that say what it is: `oci-layout` and `index.json`
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).

use serde::Deserialize;

use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::error::OpenError;
use crate::json;
use crate::media_type;

/// `oci-layout` holds one short key.
const LAYOUT_LIMIT: u64 = 64 * 1024;

/// `index.json` of an archive with thousands of images stays below this.
const INDEX_LIMIT: u64 = 16 * 1024 * 1024;

/// Files that a system has, and no image layout.
const FILE_SYSTEM: [&str; 5] = [
    ".dockerenv",
    "etc/hosts",
    "etc/passwd",
    "etc/os-release",
    "bin/sh",
];

#[derive(Deserialize)]
struct LayoutFile {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexFile {
    schema_version: u32,
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
}

/// What `index.json` lists.
pub(crate) fn listed(container: &Container) -> Result<Vec<Descriptor>, OpenError> {
    check_layout(container)?;
    read_index(container)
}

fn check_layout(container: &Container) -> Result<(), OpenError> {
    let Some(bytes) = container.read_only_one("oci-layout", LAYOUT_LIMIT)? else {
        return Err(no_layout(container));
    };
    let layout: LayoutFile = json::parse("oci-layout", &bytes)?;
    if layout.version != "1.0.0" {
        let reason = format!("layout version {:?} is not supported", layout.version);
        return Err(OpenError::invalid("oci-layout", reason));
    }
    Ok(())
}

/// What an input without `oci-layout` is.
fn no_layout(container: &Container) -> OpenError {
    let kind = if container.contains("manifest.json") {
        match container {
            // A file "version", and a manifest.json that is a manifest.
            Container::Directory(_) if container.contains("version") => {
                "a directory of skopeo's dir: format"
            }
            Container::Directory(_) => "an unpacked docker-save archive",
            Container::Tar(_) => {
                return OpenError::WrongFormat {
                    found: "a docker-save archive",
                    wanted: "an OCI image layout",
                };
            }
        }
    } else if container.contains("repositories") {
        "a docker-save archive of a Docker older than 1.10"
    } else if FILE_SYSTEM.iter().any(|name| container.contains(name)) {
        return OpenError::NotAnArchive {
            reason: "it is a file system, as docker export and --output type=tar write it"
                .to_owned(),
        };
    } else {
        return missing(container, "oci-layout");
    };
    OpenError::Unsupported { kind }
}

fn missing(container: &Container, name: &str) -> OpenError {
    let folders = [name, "manifest.json"]
        .into_iter()
        .find_map(|name| Some((name, container.folder_of(name)?)));
    let remark = match folders {
        Some((name, folder)) => Some(format!(
            "{name} is in the folder {folder:?}, and should be packed without the folder around it"
        )),
        None => container.instead(),
    };
    OpenError::Missing {
        what: format!("{name}, which every OCI image layout has,"),
        remark,
    }
}

/// What `index.json` lists, whatever the archive is.
pub(crate) fn read_index(container: &Container) -> Result<Vec<Descriptor>, OpenError> {
    let refused = |reason: &str| Err(OpenError::invalid("index.json", reason));
    let bytes = container
        .read_only_one("index.json", INDEX_LIMIT)?
        .ok_or_else(|| missing(container, "index.json"))?;
    let index: IndexFile = json::parse("index.json", &bytes)?;
    if index.schema_version != 2 {
        let version = index.schema_version;
        return refused(&format!("schema version {version} is not supported"));
    }
    if let Some(own) = index.media_type
        && !media_type::is_index(&own)
    {
        return refused(&format!("its media type is {own:?}, not that of an index"));
    }
    if index.config.is_some() || index.layers.is_some() {
        return refused("ambiguous: it has what a manifest of one image has");
    }
    let listed = index.manifests.unwrap_or_default();
    if listed.is_empty() {
        return refused("it lists no image: its manifests are empty");
    }
    Ok(listed)
}
