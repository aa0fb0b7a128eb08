//! Every small failure there is, once at every kind of request.

use test_registry::{Action, Fault, Phase, Route};

use super::{Case, Form};

super::cases! {
    f11_once_everywhere => once_everywhere();
}

const ROUTES: [Route; 6] = [
    Route::Token,
    Route::ManifestHead,
    Route::BlobHead,
    Route::UploadStart,
    Route::UploadCommit,
    Route::ManifestPut,
];

/// Statuses that pass, with bodies of every kind.
const BODIES: [(&str, &str); 4] = [
    (
        "with an envelope",
        r#"{"errors":[{"code":"UNAVAILABLE","message":"later"}]}"#,
    ),
    ("without a body", ""),
    ("with a page", "<html><body>Bad gateway</body></html>"),
    ("with half an envelope", r#"{"errors":[{"co"#),
];

fn once_everywhere() -> Case {
    let mut forms = Vec::new();
    for (what, body) in BODIES {
        let mut faults = Vec::new();
        for status in [408, 425, 499, 500, 502, 503, 504, 520] {
            for route in ROUTES {
                // In the middle of a body the answer would be lost with the connection.
                let fault = Fault::new(Action::answer(status, &[], body))
                    .on(route)
                    .at(Phase::BeforeState);
                faults.push(fault.once());
            }
        }
        let name = match what {
            "with an envelope" => {
                "408, 425, 499, 500, 502, 503, 504, 520, once at every kind of request, with an envelope"
            }
            "without a body" => "the same without a body",
            "with a page" => "the same with a page",
            _ => "the same with half an envelope",
        };
        for chunk in faults.chunks(ROUTES.len()) {
            let form = Form::new(name)
                .layers(&[200_000, 2000])
                .guarded()
                .faults(chunk.to_vec())
                .at_most(3.0);
            forms.push(form);
        }
    }
    Case::new("F11", "once everywhere", forms)
}
