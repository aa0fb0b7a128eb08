//! What sessions say about themselves, and where they are.

use test_registry::{Action, Fault, Personality, Route};

use super::{Case, Form, in_chunks};
use crate::support::MIB;

super::cases! {
    f18_chunk_limit => chunk_limit();
    f19_ranges_that_lie => ranges_that_lie();
    f26_locations => locations();
}

fn chunk_limit() -> Case {
    Case::new(
        "F18",
        "chunk limit",
        vec![
            Form::new("416 `too large` for chunks over 4 MiB")
                .personality(Personality::Ghcr)
                .guarded()
                .with(|options| {
                    in_chunks(options);
                    options.chunk_size = Some(6 * MIB);
                })
                .at_most(2.1)
                .check(|seen| {
                    assert!(
                        seen.journal.largest_ranged_body() <= 6 * MIB,
                        "{}",
                        seen.name
                    );
                }),
            Form::new("413 for bodies over 20 MB")
                .layers(&[30 * MIB])
                .personality(Personality::Acr)
                .at_most(2.1),
            Form::new("413 for bodies over 20 MB, and no chunks: there is no way")
                .layers(&[30 * MIB])
                .personality(Personality::Acr)
                .fault(
                    Fault::new(Action::error(405, "UNSUPPORTED", "no chunks here"))
                        .on(Route::UploadChunk),
                )
                .fails("no chunks here"),
            Form::new("asks for chunks that it then refuses as too large")
                .layers(&[12 * MIB])
                .faults(vec![
                    Fault::new(Action::SetHeader(
                        "oci-chunk-min-length".to_owned(),
                        "5242880".to_owned(),
                    ))
                    .on(Route::UploadStart),
                    Fault::new(Action::answer(413, &[], ""))
                        .on(Route::UploadChunk)
                        .body_over(2 * MIB),
                    Fault::new(Action::answer(413, &[], ""))
                        .on(Route::UploadCommit)
                        .body_over(2 * MIB),
                ])
                .at_most(3.0),
            Form::new("no chunks at all")
                .personality(Personality::Gar)
                .with(in_chunks)
                .at_most(1.2),
        ],
    )
}

fn ranges_that_lie() -> Case {
    let chunk = |action| Fault::new(action).on(Route::UploadChunk);
    let range = |value: &str| Action::SetHeader("range".to_owned(), value.to_owned());
    let lying = |what, fault| {
        Form::new(what)
            .personality(Personality::Ghcr)
            .guarded()
            .fault(fault)
            .with(in_chunks)
    };
    Case::new(
        "F19",
        "ranges that lie",
        vec![
            Form::new("names the end of the first chunk for ever")
                .layers(&[24 * MIB])
                .personality(Personality::Ecr)
                .with(|options| {
                    in_chunks(options);
                    options.chunk_size = Some(6 * MIB);
                }),
            lying(
                "names no range",
                chunk(Action::RemoveHeader("range".to_owned())),
            ),
            lying(
                "names it as `bytes=0-1048575`",
                chunk(range("bytes=0-1048575")).once(),
            ),
            lying("names more than was sent", chunk(range("0-99999999"))),
            lying("names less than before", chunk(range("0-9"))).at_most(1.2),
            lying(
                "names `0-0` for a session without a byte",
                Fault::new(range("0-0")).on(Route::UploadStart),
            ),
            lying(
                "names `0--1` for one",
                Fault::new(range("0--1")).on(Route::UploadStart),
            ),
        ],
    )
}

fn locations() -> Case {
    let redirect = |status, location: &str| Action::answer(status, &[("Location", location)], "");
    let start = |action| Fault::new(action).on(Route::UploadStart);
    Case::new(
        "F26",
        "locations and redirects",
        vec![
            Form::new("gives an absolute address, with escapes and state that changes every time")
                .with(in_chunks),
            Form::new("gives an address without a host")
                .personality(Personality::Ghcr)
                .guarded()
                .with(in_chunks),
            Form::new("gives no address, once")
                .fault(start(Action::RemoveHeader("location".to_owned())).once()),
            Form::new("gives an address with a fragment, which is all that tells one session from another")
                .layers(&[2 * MIB])
                .fault(start(Action::SetHeader(
                    "location".to_owned(),
                    "/v2/owner/app/blobs/uploads/#1".to_owned(),
                )))
                .fails("gave up after")
                .check(|seen| {
                    let sent = seen.journal.blob_bytes();
                    assert!(sent <= 4 * seen.sample.blob_bytes(), "{}", seen.name);
                }),
            Form::new("redirects the start of an upload with 307 on its own origin")
                .fault(start(redirect(307, "/v2/owner/app/blobs/uploads/?again=1")).times(2)),
            Form::new("redirects it with 308").fault(start(redirect(308, "?again=1")).times(2)),
            Form::new("redirects a blob with 302, which would turn it into a GET")
                .fault(
                    Fault::new(redirect(302, "/v2/owner/app/blobs/uploads/elsewhere"))
                        .on(Route::UploadCommit)
                        .body_over(MIB),
                )
                .fails("redirect"),
            Form::new("redirects it to another host")
                .fault(start(redirect(
                    307,
                    "http://127.0.0.2:9/v2/owner/app/blobs/uploads/",
                )))
                .fails("127.0.0.2"),
        ],
    )
}
