//! What an archive is, by the files that it holds, and the images in it: the OCI image layout, or
//! `docker save`'s, with `manifest.json`. Docker 25 and later write both at once.
//!
//! What names the images is read once, however many of them are read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::compression::Compression;
use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::docker::{self, DockerImage};
use crate::document::{self, Written};
use crate::draft::Draft;
use crate::error::OpenError;
use crate::filter::{self, Filtered};
use crate::image::{Image, Notice, Origin};
use crate::input::Input;
use crate::layout;
use crate::media_type;
use crate::narrow::{self, Platforms};
use crate::platform_filter::PlatformFilter;
use crate::producer;
use crate::referrers::{self, Referrers};
use crate::roots;
use crate::select::{self, Candidate};
use crate::walk;
use crate::{Content, Format, OpenOptions};

/// Reads the image that `options` choose, or the only one.
pub(crate) fn read(input: &Input, options: &OpenOptions) -> Result<Content, OpenError> {
    Catalogue::of(input, options)?.chosen()
}

/// Reads every image, or the one that `options` choose.
pub(crate) fn read_all(input: &Input, options: &OpenOptions) -> Result<Vec<Content>, OpenError> {
    let catalogue = Catalogue::of(input, options)?;
    if options.select.is_some() {
        return Ok(vec![catalogue.chosen()?]);
    }
    if let Some(only) = catalogue.narrowed()? {
        return Ok(vec![catalogue.content(only, catalogue.position(only))?]);
    }
    let images = catalogue.images.iter().enumerate();
    images
        .map(|(position, image)| catalogue.content(image, Some(position)))
        .collect()
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

/// What an archive holds, before any of it is read.
struct Catalogue<'a> {
    container: &'a Container,
    options: &'a OpenOptions,
    images: Vec<Candidate<Target>>,
    /// What is no image by itself.
    others: Vec<Candidate<Target>>,
    /// What `manifest.json` lists beside an index, by the configuration.
    saved: BTreeMap<Digest, Candidate<DockerImage>>,
    /// Whether it lists what the index does not name.
    differs: bool,
    /// Manifests that are about another one.
    referrers: Referrers,
    /// What `index.json` lists beside a `manifest.json` that counts, by the configuration.
    beside: BTreeMap<Digest, BTreeSet<Digest>>,
    notices: Vec<Notice>,
    /// Of what is in an archive of this kind, whichever image it is.
    origin: Origin,
}

impl<'a> Catalogue<'a> {
    fn of(input: &'a Input, options: &'a OpenOptions) -> Result<Self, OpenError> {
        let container = &input.container;
        let is_docker = match options.format {
            Some(format) => format == Format::DockerArchive,
            // Also where there is an index.json, as apko writes one beside.
            None => !container.contains("oci-layout") && is_docker_archive(container),
        };
        let empty = Self {
            container,
            options,
            images: Vec::new(),
            others: Vec::new(),
            saved: BTreeMap::new(),
            differs: false,
            referrers: Referrers::default(),
            beside: BTreeMap::new(),
            notices: container.notices(),
            origin: Origin {
                format: None,
                compression: Some(input.compression).filter(|one| *one != Compression::None),
                producer: producer::guess(container),
                position: None,
                archive: None,
            },
        };
        if is_docker {
            empty.of_docker()
        } else {
            empty.of_layout()
        }
    }

    fn of_docker(mut self) -> Result<Self, OpenError> {
        let Some(images) = docker::images(self.container, false)? else {
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
        let images = images.into_iter();
        self.images = images.map(|one| one.map(Target::Docker)).collect();
        // What is wrong with an OCI layout that stands beside is not the matter here.
        let _ = self.look_beside();
        Ok(self)
    }

    /// Takes note of what `index.json` lists in an archive whose `manifest.json` counts, if both are there.
    fn look_beside(&mut self) -> Result<(), OpenError> {
        let container = self.container;
        if !container.contains("index.json") {
            return Ok(());
        }
        let contents = roots::contents(container, &layout::read_index(container)?)?;
        let mut beside: BTreeMap<Digest, BTreeSet<Digest>> = BTreeMap::new();
        for one in contents.roots.iter().chain(&contents.others) {
            let loaded = document::load(container, &Written::default(), &one.target)?;
            if let Some(config) = loaded.and_then(|(_, document)| document?.config) {
                let of_config = beside.entry(config.digest).or_default();
                of_config.insert(one.digest.clone());
            }
        }
        self.referrers = contents.referrers;
        self.beside = beside;
        Ok(())
    }

    fn of_layout(mut self) -> Result<Self, OpenError> {
        let container = self.container;
        let contents = roots::contents(container, &layout::listed(container)?)?;
        let docker = if is_docker_archive(container) && self.options.format.is_none() {
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
        let listed = |found: Vec<Candidate<Descriptor>>| {
            let found = found.into_iter();
            found.map(|one| one.map(Target::Listed)).collect()
        };
        self.images = listed(contents.roots);
        self.others = listed(contents.others);
        self.referrers = contents.referrers;
        // Docker's own index lacks what was saved without a name beside something with one.
        let unlisted = docker.iter().filter(|one| !known.contains(&one.digest));
        let unlisted = unlisted.cloned().map(|one| one.map(Target::Docker));
        let in_index = self.images.len();
        self.images.extend(unlisted);
        self.differs = self.images.len() > in_index;
        let saved = docker.into_iter();
        self.saved = saved.map(|one| (one.digest.clone(), one)).collect();
        if self.images.is_empty() {
            return Err(OpenError::invalid(
                "index.json",
                "it lists no image, only manifests that are about others",
            ));
        }
        Ok(self)
    }

    /// The image that the options choose, or the only one.
    fn chosen(&self) -> Result<Content, OpenError> {
        let platforms = self.platforms();
        let chosen = narrow::choose(&self.images, &self.others, self.options, platforms);
        let chosen = chosen.map_err(|error| {
            if self.differs {
                select::remark(
                    error,
                    "index.json and manifest.json differ in what they list",
                )
            } else {
                error
            }
        })?;
        self.content(chosen, self.position(chosen))
    }

    /// The image that the platforms choose, if they do.
    fn narrowed(&self) -> Result<Option<&Candidate<Target>>, OpenError> {
        narrow::by_platform(&self.images, self.options, self.platforms())
    }

    /// Tells the platforms of what could be chosen.
    fn platforms(&self) -> impl FnMut(&Target) -> Result<Vec<Platform>, OpenError> {
        let mut platforms = Platforms::new(self.container);
        move |target| match target {
            Target::Listed(root) => platforms.of(root),
            Target::Docker(image) => Ok(image.platform().into_iter().collect()),
        }
    }

    /// Where an image stands; `None` for what is none by itself.
    fn position(&self, chosen: &Candidate<Target>) -> Option<usize> {
        let mut images = self.images.iter();
        images.position(|image| std::ptr::eq(image, chosen))
    }

    /// Reads an image.
    fn content(
        &self,
        image: &Candidate<Target>,
        position: Option<usize>,
    ) -> Result<Content, OpenError> {
        let mut content = match &image.target {
            Target::Docker(saved) => self.saved(&image.digest, saved, &image.names)?,
            Target::Listed(root) => self.image(root, &image.names)?,
        };
        let format = match (&content, self.container) {
            (Content::Draft(_), _) => Format::DockerArchive,
            (Content::Image(_), Container::Directory(_)) => Format::OciDirectory,
            (Content::Image(_), Container::Tar(_)) => Format::OciArchive,
        };
        let (notices, origin) = match &mut content {
            Content::Image(image) => (&mut image.notices, &mut image.origin),
            Content::Draft(draft) => (&mut draft.notices, &mut draft.origin),
        };
        notices.extend(self.notices.iter().cloned());
        *origin = Origin {
            format: Some(format),
            position,
            ..self.origin.clone()
        };
        Ok(content)
    }

    fn image(&self, root: &Descriptor, names: &[String]) -> Result<Content, OpenError> {
        let (container, options) = (self.container, self.options);
        let mut written = Written::default();
        let filtered = filter::apply(container, root, options, &mut written)?;
        let mut referrers = Cow::Borrowed(&self.referrers);
        if !filtered.referrers.is_empty() {
            referrers.to_mut().extend(&filtered.referrers);
        }
        let wanted = referrers.wanted(container, &written, options)?;
        let of_index = filtered.root.digest != root.digest;
        let mut image = walk::walk(container, &written, &filtered.root, &wanted, of_index)?;
        // Of an index, the filter has seen to it; what is not there may have been left out as not present.
        if !media_type::is_index(&root.media_type) {
            check_platform(&image.platforms, &options.platforms)?;
        }
        image.names = names.to_vec();
        if !options.verbatim
            && has_uncompressed_layers(&image)
            && let Some(config) = &image.config_digest
            && let Some(saved) = self.saved.get(config)
        {
            return self.made_anew(saved, names, filtered, &referrers);
        }
        let published = referrers::published(&image);
        let left_out = referrers.left_out(&published, &filtered.seen, options);
        image.notices.extend(left_out);
        image.changes = filtered.changes;
        Ok(Content::Image(Box::new(image)))
    }

    /// A listed image whose layers are to be compressed, for which its manifest is made anew.
    fn made_anew(
        &self,
        saved: &Candidate<DockerImage>,
        names: &[String],
        filtered: Filtered,
        referrers: &Referrers,
    ) -> Result<Content, OpenError> {
        let names = if saved.names.is_empty() {
            names
        } else {
            &saved.names
        };
        let mut draft = self.draft(&saved.target, names)?;
        let replaced = filtered.root.digest;
        draft.changes = filtered.changes;
        draft.changes.push(format!(
            "the manifest is made anew, over compressed layers, in place of {replaced}"
        ));
        let mut others = filtered.seen;
        others.insert(replaced);
        let left_out = referrers.left_out(&BTreeSet::new(), &others, self.options);
        draft.notices.extend(left_out);
        Ok(Content::Draft(Box::new(draft)))
    }

    /// What `manifest.json` lists. What `index.json` may know about the image with this configuration is left
    /// out.
    fn saved(
        &self,
        config: &Digest,
        image: &DockerImage,
        names: &[String],
    ) -> Result<Content, OpenError> {
        let mut draft = self.draft(image, names)?;
        if let Some(manifests) = self.beside.get(config) {
            let nothing = BTreeSet::new();
            let left_out = self.referrers.left_out(&nothing, manifests, self.options);
            draft.notices.extend(left_out);
        }
        Ok(Content::Draft(Box::new(draft)))
    }

    fn draft(&self, image: &DockerImage, names: &[String]) -> Result<Draft, OpenError> {
        let (image, layers) = docker::draft(self.container, image)?;
        let platforms: Vec<Platform> = image.platform.iter().cloned().collect();
        check_platform(&platforms, &self.options.platforms)?;
        let mut draft = Draft::of_image(image, layers);
        draft.names = names.to_vec();
        Ok(draft)
    }
}

/// Whether some layer is as Docker keeps it, and not as a registry should.
fn has_uncompressed_layers(image: &Image) -> bool {
    let blobs = image.blobs.iter();
    image.manifests.len() == 1
        && blobs
            .map(|blob| &blob.descriptor)
            .any(|blob| media_type::is_uncompressed_layer(&blob.media_type))
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
