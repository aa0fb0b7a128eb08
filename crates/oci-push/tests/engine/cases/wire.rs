//! Answers that say the same in other ways: what servers and proxies put on the wire beside what this crate's own
//! test server does.

use std::time::Duration;

use test_registry::{Action, Fault, Personality, Phase, Route, Spelling};

use super::{Case, Form, in_chunks};

super::cases! {
    f26_other_spellings => other_spellings();
}

/// What a spelling is, for the document.
fn description(spelling: Spelling) -> &'static str {
    match spelling {
        Spelling::BareLineFeeds => "ends lines without carriage returns",
        Spelling::Capitals => "writes headers in capitals, and spaces around their values",
        Spelling::NoReason => "leaves out the words after the status",
        Spelling::InterimFirst => "sends `100 Continue` first, though nobody asked",
        Spelling::Http10 => "speaks HTTP/1.0",
        Spelling::UntilClose => "gives no length: the connection's end is the body's",
        Spelling::ClosesSilently => "closes every connection after its answer, without saying so",
        Spelling::ClosesAnnounced => "closes every connection, and says so",
        Spelling::Chunked => "sends bodies in pieces, without a length",
        _ => "is new",
    }
}

fn other_spellings() -> Case {
    let mut forms = Vec::new();
    for spelling in Spelling::ALL {
        for personality in [Personality::Specification, Personality::Ghcr] {
            for is_chunked in [false, true] {
                let form = Form::new(description(spelling))
                    .layers(&[600_000, 70_000, 2000])
                    .personality(personality)
                    .guarded()
                    .fault(Fault::new(Action::Spell(spelling)));
                let form = if is_chunked {
                    form.with(|options| {
                        in_chunks(options);
                        options.chunk_size = Some(200_000);
                    })
                } else {
                    form
                };
                // An idle connection that ends as a body sets out is not noticed before.
                forms.push(form.at_most(2.1));
            }
        }
    }
    forms.push(
        Form::new(
            "gives addresses relative to the request's, without a slash or with a query only",
        )
        .with(in_chunks)
        .fault(Fault::new(Action::ShortenLocation)),
    );
    forms.push(
        Form::new("pauses for a second within the head of the answers that open sessions").fault(
            Fault::new(Action::Delay(Duration::from_secs(1)))
                .at(Phase::InAnswer(10))
                .on(Route::UploadStart),
        ),
    );
    Case::new("F26", "answers in other words", forms)
}
