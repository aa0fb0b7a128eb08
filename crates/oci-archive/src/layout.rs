//! The OCI image layout: `oci-layout`, `index.json`, `blobs/`
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Selection;
use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::error::OpenError;
use crate::image::Image;
use crate::roots;
use crate::walk;

/// The limit that registries set for manifests (distribution-spec, "Pushing Manifests").
pub(crate) const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// `index.json` of an archive with thousands of images stays below this.
const INDEX_LIMIT: u64 = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct LayoutFile {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexFile {
    schema_version: u32,
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    media_type: Option<String>,
}

/// Reads the image that `selection` chooses, or the only one.
pub(crate) fn read(
    container: &Container,
    selection: Option<&Selection>,
) -> Result<Image, OpenError> {
    if !container.contains("oci-layout") && container.contains("manifest.json") {
        // skopeo's own directory format has a file "version" and a manifest.json that is a manifest.
        let kind = match container {
            Container::Directory(_) if container.contains("version") => {
                "a directory of skopeo's dir: format"
            }
            Container::Directory(_) | Container::Tar(_) => "a docker-save archive",
        };
        return Err(OpenError::Unsupported { kind });
    }
    let missing = |what: &str| OpenError::Missing {
        what: format!("{what}, which every OCI image layout has,"),
    };
    let layout = container
        .read_small("oci-layout", MANIFEST_LIMIT)?
        .ok_or_else(|| missing("oci-layout"))?;
    let layout: LayoutFile = parse("oci-layout", &layout)?;
    if layout.version != "1.0.0" {
        let reason = format!("layout version {:?} is not supported", layout.version);
        return Err(OpenError::invalid("oci-layout", reason));
    }
    let index = container
        .read_small("index.json", INDEX_LIMIT)?
        .ok_or_else(|| missing("index.json"))?;
    let index: IndexFile = parse("index.json", &index)?;
    if index.schema_version != 2 {
        let reason = format!("schema version {} is not supported", index.schema_version);
        return Err(OpenError::invalid("index.json", reason));
    }
    if index
        .media_type
        .is_some_and(|media_type| !crate::media_type::is_index(&media_type))
    {
        return Err(OpenError::invalid(
            "index.json",
            "its media type is not that of an index",
        ));
    }
    let listed = index.manifests.unwrap_or_default();
    let root = roots::choose(container, &listed, selection)?;
    let mut image = walk::walk(container, &root.descriptor)?;
    image.names = root.names;
    image.notices.extend_from_slice(container.notices());
    Ok(image)
}

/// Parses a JSON document. Keys that stand twice and anything after the document are errors: two
/// readers could take it for two different things.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, OpenError> {
    serde_json::from_slice(bytes).map_err(|source| OpenError::Json {
        what: what.to_owned(),
        source,
    })
}
