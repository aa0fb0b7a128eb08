//! What an archive is, by the files that it holds, and the images in it: the OCI image layout, or
//! `docker save`'s, with `manifest.json`. Docker 25 and later write both at once.
//!
//! What names the images is read once, however many of them are read.

use std::collections::{BTreeMap, BTreeSet};

use crate::compression::Compression;
use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::docker::{self, DockerImage};
use crate::document::Written;
use crate::draft::Draft;
use crate::error::OpenError;
use crate::filter;
use crate::image::{Image, Notice, Origin};
use crate::input::Input;
use crate::layout;
use crate::media_type;
use crate::platform_filter::PlatformFilter;
use crate::producer;
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
    listed: Vec<Descriptor>,
    about_others: BTreeMap<Digest, Option<Digest>>,
    /// What is about each manifest.
    by_subject: BTreeMap<Digest, Vec<Digest>>,
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
            listed: Vec::new(),
            about_others: BTreeMap::new(),
            by_subject: BTreeMap::new(),
            notices: container.notices(),
            origin: Origin {
                format: None,
                compression: Some(input.compression).filter(|one| *one != Compression::None),
                producer: producer::guess(container),
                position: None,
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
        Ok(self)
    }

    fn of_layout(mut self) -> Result<Self, OpenError> {
        let container = self.container;
        self.listed = layout::listed(container)?;
        let contents = roots::contents(container, &self.listed)?;
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
        for (digest, subject) in &contents.about_others {
            if let Some(subject) = subject {
                let about = self.by_subject.entry(subject.clone()).or_default();
                about.push(digest.clone());
            }
        }
        self.about_others = contents.about_others;
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
        let selection = self.options.select.as_ref();
        let chosen = select::choose(&self.images, &self.others, selection).map_err(|error| {
            if self.differs {
                select::remark(
                    error,
                    "index.json and manifest.json differ in what they list",
                )
            } else {
                error
            }
        })?;
        let mut images = self.images.iter();
        let position = images.position(|image| std::ptr::eq(image, chosen));
        self.content(chosen, position)
    }

    /// Reads an image.
    fn content(
        &self,
        image: &Candidate<Target>,
        position: Option<usize>,
    ) -> Result<Content, OpenError> {
        let mut content = match &image.target {
            Target::Docker(saved) => self.draft(saved, &image.names)?,
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
        let about_others: Vec<&Descriptor> = self
            .listed
            .iter()
            .filter(|one| options.referrers && self.about_others.contains_key(&one.digest))
            .collect();
        let mut image = walk::walk(container, &written, &filtered.root, &about_others)?;
        check_platform(&image.platforms, &options.platforms)?;
        image.names = names.to_vec();
        if !options.verbatim
            && has_uncompressed_layers(&image)
            && let Some(config) = &image.config_digest
            && let Some(saved) = self.saved.get(config)
        {
            let names = if saved.names.is_empty() {
                names
            } else {
                &saved.names
            };
            return self.draft(&saved.target, names);
        }
        let left_out = self.left_out(&image);
        image.notices.extend(left_out);
        image.changes = filtered.changes;
        Ok(Content::Image(Box::new(image)))
    }

    /// What is about the image, and not taken along. Only that is looked at: there may be as much about each
    /// of many others.
    fn left_out(&self, image: &Image) -> Vec<Notice> {
        let all = || image.manifests.iter().chain(&image.referrers);
        let about = all().filter_map(|one| self.by_subject.get(&one.descriptor().digest));
        let about = about.flatten().map(|digest| {
            let subject = self.about_others.get(digest).cloned();
            (digest.clone(), subject.flatten())
        });
        roots::left_out(&about.collect(), all())
    }

    fn draft(&self, image: &DockerImage, names: &[String]) -> Result<Content, OpenError> {
        let (image, layers) = docker::draft(self.container, image)?;
        let platforms: Vec<Platform> = image.platform.iter().cloned().collect();
        check_platform(&platforms, &self.options.platforms)?;
        let mut draft = Draft::of_image(image, layers);
        draft.names = names.to_vec();
        Ok(Content::Draft(Box::new(draft)))
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
