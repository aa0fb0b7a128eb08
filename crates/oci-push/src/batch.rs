//! Many things at a time, but not too many.

use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::failure::Failure;

/// Work to be done concurrently. Boxed, so that a push as a whole stays `Send`: closures that return
/// futures over borrowed items do not (<https://github.com/rust-lang/rust/issues/102211>).
pub(crate) struct Batch<'a, T>(Vec<BoxFuture<'a, Result<T, Failure>>>);

impl<'a, T> Batch<'a, T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, work: impl Future<Output = Result<T, Failure>> + Send + 'a) {
        self.0.push(Box::pin(work));
    }

    /// Does all of it, `width` pieces at a time, begun in the order in which they were pushed. The first
    /// failure ends what is under way, and nothing more is begun. Results come as they are ready.
    pub(crate) async fn run(self, width: usize) -> Result<Vec<T>, Failure> {
        stream::iter(self.0)
            .buffer_unordered(width)
            .try_collect()
            .await
    }
}
