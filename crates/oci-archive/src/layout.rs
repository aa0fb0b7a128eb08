//! What an archive is, by the files that it holds, and the image in it: the OCI image layout, with
//! `oci-layout`, `index.json`, `blobs/`
//! (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>), or `docker save`'s, with
//! `manifest.json`. Docker 25 and later write both at once.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::compression::Compression;
use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::docker::{self, DockerImage};
use crate::document::{self, Written};
use crate::draft::Draft;
use crate::error::OpenError;
use crate::filter;
use crate::image::{Image, Notice, Origin};
use crate::input::Input;
use crate::json;
use crate::media_type;
use crate::narrow::{self, Platforms};
use crate::platform_filter::PlatformFilter;
use crate::producer;
use crate::referrers;
use crate::roots;
use crate::select::{self, Candidate};
use crate::walk;
use crate::{Content, Format, OpenOptions};

/// `oci-layout` holds one short key.
const LAYOUT_LIMIT: u64 = 64 * 1024;

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
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    config: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    layers: Option<serde::de::IgnoredAny>,
}

/// Reads the image that `options` choose, or the only one.
pub(crate) fn read(input: &Input, options: &OpenOptions) -> Result<Content, OpenError> {
    let container = &input.container;
    let is_docker = match options.format {
        Some(format) => format == Format::DockerArchive,
        // Also where there is an index.json, as apko writes one beside.
        None => !container.contains("oci-layout") && is_docker_archive(container),
    };
    let mut content = if is_docker {
        read_docker(container, options)?
    } else {
        read_layout(container, options)?
    };
    let notices = container.notices();
    let origin = Origin {
        format: Some(match (&content, container) {
            (Content::Draft(_), _) => Format::DockerArchive,
            (Content::Image(_), Container::Directory(_)) => Format::OciDirectory,
            (Content::Image(_), Container::Tar(_)) => Format::OciArchive,
        }),
        compression: Some(input.compression).filter(|one| *one != Compression::None),
        producer: producer::guess(container),
        archive: None,
    };
    match &mut content {
        Content::Image(image) => {
            image.notices.extend(notices);
            image.origin = origin;
        }
        Content::Draft(draft) => {
            draft.notices.extend(notices);
            draft.origin = origin;
        }
    }
    Ok(content)
}

/// Whether `manifest.json` is a list of images. In a directory it is skopeo's, a manifest.
fn is_docker_archive(container: &Container) -> bool {
    matches!(container, Container::Tar(_)) && container.contains("manifest.json")
}

/// What `index.json` or, in an archive that has both, `manifest.json` names.
#[derive(Debug, Clone)]
enum Target {
    Listed(Descriptor),
    Docker(DockerImage),
}

fn read_layout(container: &Container, options: &OpenOptions) -> Result<Content, OpenError> {
    check_layout(container)?;
    let listed = read_index(container)?;
    let contents = roots::contents(container, &listed)?;
    let docker = if is_docker_archive(container) && options.format.is_none() {
        docker::images(container, true)
            .ok()
            .flatten()
            .unwrap_or_default()
    } else {
        Vec::new()
    };
    let known = if docker.is_empty() {
        BTreeSet::new()
    } else {
        roots::configurations(container, &contents)?
    };
    let mut images: Vec<Candidate<Target>> = contents
        .roots
        .into_iter()
        .map(|one| one.map(Target::Listed))
        .collect();
    let others: Vec<Candidate<Target>> = contents
        .others
        .into_iter()
        .map(|one| one.map(Target::Listed))
        .collect();
    let is_listed = |one: &&Candidate<DockerImage>| known.contains(&one.digest);
    // Docker's own index lacks what was saved without a name beside something with one.
    let unlisted = docker.iter().filter(|one| !is_listed(one)).cloned();
    images.extend(unlisted.map(|one| one.map(Target::Docker)));
    if images.is_empty() {
        return Err(OpenError::invalid(
            "index.json",
            "it lists no image, only manifests that are about others",
        ));
    }
    let mut platforms = Platforms::new(container);
    let chosen = narrow::choose(&images, &others, options, |target| match target {
        Target::Listed(root) => platforms.of(root),
        Target::Docker(image) => Ok(image.platform().into_iter().collect()),
    })
    .map_err(|error| {
        if docker.iter().all(|one| known.contains(&one.digest)) {
            error
        } else {
            select::remark(
                error,
                "index.json and manifest.json differ in what they list",
            )
        }
    })?;
    let root = match &chosen.target {
        Target::Docker(image) => return draft(container, image, &chosen.names, options),
        Target::Listed(root) => root,
    };
    let mut written = Written::default();
    let filtered = filter::apply(container, root, options, &mut written)?;
    let mut referrers = contents.referrers;
    referrers.extend(&filtered.referrers);
    let wanted = referrers.wanted(container, &written, options)?;
    let of_index = filtered.root.digest != root.digest;
    let mut image = walk::walk(container, &written, &filtered.root, &wanted, of_index)?;
    // Of an index, the filter has seen to it; what is not there may have been left out as not present.
    if !media_type::is_index(&root.media_type) {
        check_platform(&image.platforms, &options.platforms)?;
    }
    image.names.clone_from(&chosen.names);
    if !options.verbatim
        && has_uncompressed_layers(&image)
        && let Some(saved) = image
            .config_digest
            .as_ref()
            .and_then(|config| docker.iter().find(|saved| saved.digest == *config))
    {
        let names = if saved.names.is_empty() {
            &image.names
        } else {
            &saved.names
        };
        let mut content = draft(container, &saved.target, names, options)?;
        if let Content::Draft(draft) = &mut content {
            let replaced = &filtered.root.digest;
            draft.changes = filtered.changes;
            draft.changes.push(format!(
                "the manifest is made anew, over compressed layers, in place of {replaced}"
            ));
            let others = filtered
                .seen
                .into_iter()
                .chain([replaced.clone()])
                .collect();
            let left_out = referrers.left_out(&BTreeSet::new(), &others, options);
            draft.notices.extend(left_out);
        }
        return Ok(content);
    }
    let published = referrers::published(&image);
    let left_out = referrers.left_out(&published, &filtered.seen, options);
    image.notices.extend(left_out);
    image.changes = filtered.changes;
    Ok(Content::Image(Box::new(image)))
}

/// Whether some layer is as Docker keeps it, and not as a registry should.
fn has_uncompressed_layers(image: &Image) -> bool {
    let blobs = image.blobs.iter();
    image.manifests.len() == 1
        && blobs
            .map(|blob| &blob.descriptor)
            .any(|blob| media_type::is_uncompressed_layer(&blob.media_type))
}

fn read_docker(container: &Container, options: &OpenOptions) -> Result<Content, OpenError> {
    let Some(images) = docker::images(container, false)? else {
        return Err(OpenError::WrongFormat {
            found: "an archive without manifest.json",
            wanted: "a docker-save archive",
        });
    };
    if images.is_empty() {
        return Err(OpenError::invalid(
            "manifest.json",
            "it lists no image: it is empty",
        ));
    }
    let chosen = narrow::choose(&images, &[], options, |image| {
        Ok(image.platform().into_iter().collect())
    })?;
    let mut content = draft(container, &chosen.target, &chosen.names, options)?;
    if let Content::Draft(draft) = &mut content {
        // An OCI layout may stand beside. What is wrong with it is not the matter here.
        let notices = about_listed(container, &chosen.digest, options);
        draft.notices.extend(notices.unwrap_or_default());
    }
    Ok(content)
}

/// What is to be said of what `index.json` knows about the image with this configuration, whose manifest is
/// made anew.
fn about_listed(
    container: &Container,
    config: &Digest,
    options: &OpenOptions,
) -> Result<Vec<Notice>, OpenError> {
    if !container.contains("index.json") {
        return Ok(Vec::new());
    }
    let listed = read_index(container)?;
    let contents = roots::contents(container, &listed)?;
    let mut manifests = BTreeSet::new();
    for one in contents.roots.iter().chain(&contents.others) {
        let loaded = document::load(container, &Written::default(), &one.target)?;
        let found = loaded.and_then(|(_, document)| document?.config);
        if found.is_some_and(|found| found.digest == *config) {
            manifests.insert(one.digest.clone());
        }
    }
    let nothing = BTreeSet::new();
    Ok(contents.referrers.left_out(&nothing, &manifests, options))
}

fn draft(
    container: &Container,
    image: &DockerImage,
    names: &[String],
    options: &OpenOptions,
) -> Result<Content, OpenError> {
    let (image, layers) = docker::draft(container, image)?;
    let platforms: Vec<Platform> = image.platform.iter().cloned().collect();
    check_platform(&platforms, &options.platforms)?;
    let mut draft = Draft::of_image(image, layers);
    draft.names = names.to_vec();
    Ok(Content::Draft(Box::new(draft)))
}

/// An image that is no index must be for one of the platforms that are asked for.
fn check_platform(found: &[Platform], wanted: &[PlatformFilter]) -> Result<(), OpenError> {
    let is_met = |filter: &PlatformFilter| found.iter().any(|platform| filter.matches(platform));
    let unmet: Vec<String> = wanted
        .iter()
        .filter(|filter| !is_met(filter))
        .map(ToString::to_string)
        .collect();
    if unmet.is_empty() {
        return Ok(());
    }
    Err(OpenError::NoPlatform {
        wanted: unmet,
        available: found.iter().map(ToString::to_string).collect(),
    })
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
    } else {
        return missing(container, "oci-layout");
    };
    OpenError::Unsupported { kind }
}

fn missing(container: &Container, name: &str) -> OpenError {
    let folder = container.folder_of(name).map(|folder| {
        format!("it is in the folder {folder:?}, and should be packed without the folder around it")
    });
    OpenError::Missing {
        what: format!("{name}, which every OCI image layout has,"),
        remark: folder.or_else(|| container.suspicion().map(str::to_owned)),
    }
}

fn read_index(container: &Container) -> Result<Vec<Descriptor>, OpenError> {
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
