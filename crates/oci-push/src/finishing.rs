//! Layers on their way into the form in which they are pushed: known already, or compressed once for all
//! repositories, and sent as soon as they are ready.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use oci_archive::{
    Blob, CompressError, CompressionFormat, Compressor, Descriptor, Digest, Draft, FinishedLayer,
    FinishedLayers, Image, RawLayer,
};
use tokio::sync::{OnceCell, Semaphore};

use crate::batch::Batch;
use crate::failure::Failure;
use crate::observer::{Event, Observer};
use crate::publication::{Publication, Transferred};
use crate::report::BlobCounts;
use crate::repository::RemoteManifest;

/// Layers that are read and hashed at a time; the compressor's threads are shared by them.
const MOST_AT_A_TIME: usize = 8;

/// Layers that wait to be compressed, are compressed, or are sent.
const LAYERS_UNDER_WAY: usize = 64;

/// What layers of earlier pushes became. What it says is never believed without a look at the registry.
pub trait LayerCache: Send + Sync {
    /// The digest and size in bytes that the layer had under these settings
    /// ([`oci_archive::CompressionSettings::name`]).
    fn look_up(&self, diff_id: &Digest, settings: &str) -> Option<(Digest, u64)>;

    /// Takes note of what a layer has become. Failing is no failure.
    fn note(&self, diff_id: &Digest, settings: &str, digest: &Digest, size: u64);
}

/// Remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

impl LayerCache for NoCache {
    fn look_up(&self, _diff_id: &Digest, _settings: &str) -> Option<(Digest, u64)> {
        None
    }

    fn note(&self, _diff_id: &Digest, _settings: &str, _digest: &Digest, _size: u64) {}
}

/// What drafts are finished with.
#[derive(Clone)]
#[non_exhaustive]
pub struct Workshop {
    /// Compresses.
    pub compressor: Arc<Compressor>,
    /// Remembers.
    pub cache: Arc<dyn LayerCache>,
    /// Whether the format was asked for; an image that a registry has in another one is not the same then.
    pub insists_on_format: bool,
}

impl Workshop {
    /// A workshop.
    #[must_use]
    pub fn new(compressor: Arc<Compressor>, cache: Arc<dyn LayerCache>) -> Self {
        Self {
            compressor,
            cache,
            insists_on_format: false,
        }
    }
}

/// A draft, while it is pushed.
pub(crate) struct Finishing<'a> {
    draft: &'a Draft,
    workshop: &'a Workshop,
    observer: Arc<dyn Observer>,
    /// What was compressed in this run, by diff id.
    made: BTreeMap<&'a Digest, OnceCell<Blob>>,
    at_a_time: Semaphore,
    counts: Mutex<BlobCounts>,
    /// What the cache says of the layers that would be compressed.
    cached: BTreeMap<&'a Digest, (Digest, u64)>,
}

/// What `cache` says, without what contradicts itself: one blob for two layers, or for something that is no
/// layer. It is a file that anybody with the user's rights may have written.
fn plausible<'a>(draft: &'a Draft, workshop: &Workshop) -> BTreeMap<&'a Digest, (Digest, u64)> {
    let settings = workshop.compressor.settings().name();
    let layers = draft.layers().iter().filter(|layer| !layer.is_compressed());
    let found = layers.filter_map(|layer| {
        let cached = workshop.cache.look_up(&layer.diff_id, &settings)?;
        Some((&layer.diff_id, cached))
    });
    let mut found: BTreeMap<&Digest, (Digest, u64)> = found.collect();
    let mut claims: BTreeMap<Digest, usize> = BTreeMap::new();
    for (digest, _) in found.values() {
        *claims.entry(digest.clone()).or_default() += 1;
    }
    for blob in draft.blobs() {
        *claims.entry(blob.descriptor.digest).or_default() += 1;
    }
    found.retain(|_, (digest, _)| claims.get(digest) == Some(&1));
    found
}

impl<'a> Finishing<'a> {
    pub(crate) fn new(
        draft: &'a Draft,
        workshop: &'a Workshop,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let cells = draft
            .layers()
            .iter()
            .map(|layer| (&layer.diff_id, OnceCell::new()));
        let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
        Self {
            made: cells.collect(),
            at_a_time: Semaphore::new(threads.clamp(2, MOST_AT_A_TIME)),
            counts: Mutex::default(),
            cached: plausible(draft, workshop),
            draft,
            workshop,
            observer,
        }
    }

    pub(crate) fn draft(&self) -> &Draft {
        self.draft
    }

    /// The image, if a manifest in the registry is its.
    pub(crate) fn recognise(&self, found: &RemoteManifest) -> Option<Image> {
        let format = self.workshop.compressor.settings().format();
        let insisted = self.workshop.insists_on_format.then_some(format);
        let image = self
            .draft
            .recognise(&found.media_type, &found.bytes, insisted)?;
        // What the registry calls it is what the tag must go on naming.
        (image.root().descriptor().digest == found.digest).then_some(image)
    }

    /// The image, of finished layers.
    pub(crate) fn assemble(&self, layers: &FinishedLayers) -> Result<Image, Failure> {
        self.draft
            .finish(layers)
            .map_err(|error| Failure::Assembly(Box::new(error)))
    }

    /// What happened to layers since it was last asked.
    pub(crate) fn take_counts(&self) -> BlobCounts {
        std::mem::take(&mut *self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, count: impl FnOnce(&mut BlobCounts)) {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Sees to it that the registry has all layers, and tells what they are.
    pub(crate) async fn finish_layers(
        &self,
        publication: &Publication<'_>,
    ) -> Result<FinishedLayers, Failure> {
        let mut work = Batch::new();
        for layer in self.longest_first() {
            work.push(async move {
                let finished = self.finish_layer(publication, layer).await?;
                Ok((layer.diff_id.clone(), finished))
            });
        }
        Ok(work.run(LAYERS_UNDER_WAY).await?.into_iter().collect())
    }

    /// Makes the layers of these diff ids and sends them, whatever the cache or the registry says of them.
    pub(crate) async fn make_layers(
        &self,
        publication: &Publication<'_>,
        diff_ids: &BTreeSet<Digest>,
    ) -> Result<FinishedLayers, Failure> {
        let mut work = Batch::new();
        let mut layers = self.longest_first();
        layers.retain(|layer| diff_ids.contains(&layer.diff_id));
        for layer in layers {
            work.push(async move {
                let blob = self.make(layer).await?;
                // Not mounted: what the registry says to have already is what it turned out to lack.
                publication.upload(&blob).await?;
                let (how, size) = (Transferred::Uploaded, blob.descriptor.size);
                self.count(|counts| counts.transferred(how, size));
                Ok((layer.diff_id.clone(), FinishedLayer::made(blob)))
            });
        }
        Ok(work.run(LAYERS_UNDER_WAY).await?.into_iter().collect())
    }

    /// One that takes long and starts last would keep the push waiting alone.
    fn longest_first(&self) -> Vec<&RawLayer> {
        let mut layers: Vec<&RawLayer> = self.draft.layers().iter().collect();
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.source.len()));
        layers
    }

    async fn finish_layer(
        &self,
        publication: &Publication<'_>,
        layer: &RawLayer,
    ) -> Result<FinishedLayer, Failure> {
        if let Some(known) = self.known(publication, layer).await? {
            self.count(|counts| counts.existing += 1);
            return Ok(FinishedLayer::elsewhere(known));
        }
        let blob = self.make(layer).await?;
        if publication.has(&blob).await? {
            self.count(|counts| counts.existing += 1);
        } else {
            let how = publication.transfer(&blob).await?;
            self.count(|counts| counts.transferred(how, blob.descriptor.size));
        }
        Ok(FinishedLayer::made(blob))
    }

    /// What the cache says that the layer becomes, if the registry has that.
    pub(crate) async fn known(
        &self,
        publication: &Publication<'_>,
        layer: &RawLayer,
    ) -> Result<Option<Descriptor>, Failure> {
        if layer.is_compressed()
            || self
                .made
                .get(&layer.diff_id)
                .is_some_and(OnceCell::initialized)
        {
            return Ok(None);
        }
        let settings = self.workshop.compressor.settings();
        let Some((digest, size)) = self.cached.get(&layer.diff_id).cloned() else {
            return Ok(None);
        };
        let descriptor = Descriptor::new(settings.format().media_type(), digest, size);
        let exists = publication.confirms(&descriptor).await?;
        Ok(exists.then_some(descriptor))
    }

    /// The layer's final form, made at its first use.
    async fn make(&self, layer: &RawLayer) -> Result<Blob, Failure> {
        let compress = || async {
            // The semaphore is never closed.
            let _permit = self.at_a_time.acquire().await.ok();
            self.compress(layer).await
        };
        match self.made.get(&layer.diff_id) {
            Some(cell) => cell.get_or_try_init(compress).await.cloned(),
            None => compress().await,
        }
    }

    async fn compress(&self, layer: &RawLayer) -> Result<Blob, Failure> {
        let size = layer.source.len();
        self.observer.observe(&Event::LayerStarted {
            diff_id: &layer.diff_id,
            size,
            is_compressed: layer.is_compressed(),
        });
        let start = Instant::now();
        let cancelled = CancelOnDrop(Arc::new(AtomicBool::new(false)));
        let job = Job {
            layer: layer.clone(),
            compressor: Arc::clone(&self.workshop.compressor),
            observer: Arc::clone(&self.observer),
            cancelled: Arc::clone(&cancelled.0),
            told: AtomicU64::new(0),
        };
        let finished = tokio::task::spawn_blocking(move || job.run()).await;
        let failed = |error| Failure::Layer {
            diff_id: layer.diff_id.clone(),
            error: Box::new(error),
        };
        let blob = finished
            .map_err(|error| Failure::Client(error.into()))?
            .map_err(failed)?;
        let settings = self.workshop.compressor.settings();
        let Descriptor { digest, size, .. } = &blob.descriptor;
        if !layer.is_compressed() && settings.format() != CompressionFormat::None {
            let cache = &self.workshop.cache;
            cache.note(&layer.diff_id, &settings.name(), digest, *size);
        }
        self.observer.observe(&Event::LayerFinished {
            diff_id: &layer.diff_id,
            digest,
            size: *size,
            duration: start.elapsed(),
        });
        Ok(blob)
    }
}

/// Tells a thread that nobody waits for it any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The compression of one layer, on a thread of its own.
struct Job {
    layer: RawLayer,
    compressor: Arc<Compressor>,
    observer: Arc<dyn Observer>,
    cancelled: Arc<AtomicBool>,
    /// The progress that was told last.
    told: AtomicU64,
}

impl Job {
    fn run(&self) -> Result<Blob, CompressError> {
        self.compressor.finish(&self.layer, &|offset| {
            self.tell(offset);
            !self.cancelled.load(Ordering::Relaxed)
        })
    }

    fn tell(&self, offset: u64) {
        /// More often is not seen.
        const STEP: u64 = 512 * 1024;
        let told = self.told.load(Ordering::Relaxed);
        if offset >= told + STEP || offset == self.layer.source.len() {
            self.told.store(offset, Ordering::Relaxed);
            self.observer.observe(&Event::LayerProgress {
                diff_id: &self.layer.diff_id,
                offset,
            });
        }
    }
}
