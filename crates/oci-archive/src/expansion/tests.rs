use super::*;

const KIB: u64 = 1024;

/// Reads `decoded` bytes of which `consumed` were read, and tells how far it came.
fn read(decoded: u64, consumed: u64, allowance: &Allowance) -> Result<u64, Expansion> {
    let consumed = Cell::new(consumed);
    let mut bounded = Bounded::new(io::repeat(0).take(decoded), &consumed, allowance);
    io::copy(&mut bounded, &mut io::sink()).map_err(|error| of_error(&error).expect("an expansion"))
}

#[test]
fn what_real_data_expands_to_is_never_counted() {
    let allowance = Allowance::new(0, GIB);
    assert_eq!(read(200 * KIB, KIB, &allowance), Ok(200 * KIB));
    let refused = read(200 * KIB + 1, KIB, &allowance).expect_err("one byte too many");
    assert_eq!(refused.consumed, KIB);
}

#[test]
fn excess_ends_for_all_together() {
    let allowance = Allowance::new(100 * KIB, GIB);
    assert_eq!(read(60 * KIB, 0, &allowance), Ok(60 * KIB));
    read(60 * KIB, 0, &allowance).expect_err("the second one is too much");
}

#[test]
fn everything_ends() {
    let allowance = Allowance::new(100 * KIB, 300 * KIB);
    let refused = read(u64::MAX, u64::MAX, &allowance).expect_err("it must end");
    assert!(refused.decoded <= 310 * KIB, "{refused:?}");
}

/// A log of one repeated line is a file like any other.
#[test]
fn little_that_becomes_a_few_gib() {
    for decoded in [630_000_000, 5 * GIB, 15 * GIB] {
        assert!(excess(decoded, 30_000) < MOST_EXCESS, "{decoded}");
    }
    assert!(excess(17 * GIB, 30_000) > MOST_EXCESS);
    // Without compression there is nothing to expand.
    assert_eq!(excess(400 * GIB, 400 * GIB), 0);
}

#[test]
fn what_is_said() {
    for (consumed, decoded, limit, expected) in [
        (
            999,
            17 * GIB,
            16 * GIB,
            "999 bytes have become 17 GiB so far, and what is more than 200 times as large is limited to 16 GiB in \
             all",
        ),
        (
            1_500_000,
            GIB,
            32 * GIB,
            "1 MiB have become 1 GiB so far, and what is more than 200 times as large is limited to 32 GiB in all",
        ),
        (
            513 * GIB,
            513 * GIB,
            512 * GIB,
            "513 GiB were read so far, and 512 GiB is the limit",
        ),
    ] {
        let expansion = Expansion {
            consumed,
            decoded,
            limit,
        };
        assert_eq!(expansion.to_string(), expected);
    }
}
