//! How fast SHA-256 is, in `MiB` a second: by `sha2`, then by AWS-LC. `cargo xtask bench hashing` runs it with and without
//! the processor's instructions.
#![expect(clippy::print_stdout, reason = "it has nothing else to do")]

use std::hint::black_box;
use std::time::Instant;

use sha2::Digest as _;

/// Bytes at a time, as when a layer is sent.
const FRAME: usize = 128 * 1024;

/// So many of them are 128 `MiB`.
const FRAMES: u32 = 1024;

fn main() {
    let frame: Vec<u8> = (0..=u8::MAX).cycle().take(FRAME).collect();
    let rate = |hash: &dyn Fn()| {
        let start = Instant::now();
        hash();
        f64::from(FRAMES) / 8.0 / start.elapsed().as_secs_f64()
    };
    let sha2 = rate(&|| {
        let mut hasher = sha2::Sha256::new();
        for _ in 0..FRAMES {
            hasher.update(&frame);
        }
        black_box(hasher.finalize());
    });
    let aws_lc = rate(&|| {
        let mut hasher = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for _ in 0..FRAMES {
            hasher.update(&frame);
        }
        black_box(hasher.finish());
    });
    println!("{sha2}\n{aws_lc}");
}
