//! SHA-256, by the implementation that is the faster one on this machine's processor.
//!
//! Where the processor has instructions for SHA-256, all implementations are alike, and `sha2` is taken. Where it has
//! none, `aws-lc-rs` is faster, on Intel's processors by 1.85 (`docs/benchmarks.md`, "Hashing").

use sha2::{Digest as _, Sha256 as Sha2};

/// A SHA-256 in the making.
#[derive(Clone)]
pub(super) enum Sha256 {
    /// With the processor's instructions, or where nothing else is at hand.
    Sha2(Sha2),
    /// Without them.
    #[cfg(feature = "aws-lc-rs")]
    AwsLc(aws_lc_rs::digest::Context),
}

impl Sha256 {
    pub(super) fn new() -> Self {
        #[cfg(feature = "aws-lc-rs")]
        if !has_instructions() {
            return Self::AwsLc(aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256));
        }
        Self::Sha2(Sha2::new())
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha2(hasher) => hasher.update(bytes),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(hasher) => hasher.update(bytes),
        }
    }

    /// The digest in hexadecimal digits.
    pub(super) fn finish(self) -> Box<str> {
        match self {
            Self::Sha2(hasher) => super::hex(&hasher.finalize()),
            #[cfg(feature = "aws-lc-rs")]
            Self::AwsLc(hasher) => super::hex(hasher.finish().as_ref()),
        }
    }
}

/// Whether `sha2` uses instructions of this processor (the standard library remembers the answer).
#[cfg(all(
    feature = "aws-lc-rs",
    any(target_arch = "x86", target_arch = "x86_64")
))]
fn has_instructions() -> bool {
    std::arch::is_x86_feature_detected!("sha")
}

/// Whether `sha2` uses instructions of this processor (the standard library remembers the answer).
#[cfg(all(feature = "aws-lc-rs", target_arch = "aarch64"))]
fn has_instructions() -> bool {
    std::arch::is_aarch64_feature_detected!("sha2")
}

/// Elsewhere nothing was measured, and `sha2` stays.
#[cfg(all(
    feature = "aws-lc-rs",
    not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))
))]
fn has_instructions() -> bool {
    true
}

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;

    #[test]
    fn both_implementations_agree_however_the_bytes_come() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(100_003).collect();
        for piece in [1, 63, 64, 65, 4096, bytes.len()] {
            let context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
            let [one, other] =
                [Sha256::Sha2(Sha2::new()), Sha256::AwsLc(context)].map(|mut hasher| {
                    for piece in bytes.chunks(piece) {
                        hasher.update(piece);
                    }
                    hasher.clone().finish()
                });
            assert_eq!(one, other, "in pieces of {piece}");
        }
    }
}
