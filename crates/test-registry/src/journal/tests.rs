use super::*;

fn exchange(route: Route, at: u64, ended: Option<u64>) -> Exchange {
    Exchange {
        at: Duration::from_millis(at),
        ended: ended.map(Duration::from_millis),
        connection: 1,
        route,
        method: Method::PUT,
        path: String::new(),
        query: String::new(),
        repository: String::new(),
        content_range: None,
        content_length: Some(10),
        authorization: None,
        token: None,
        body_bytes: 0,
        body_began: None,
        body_ended: None,
        status: None,
        digest: None,
    }
}

fn commit(body_began: u64, body_ended: Option<u64>) -> Exchange {
    Exchange {
        body_began: Some(Duration::from_millis(body_began)),
        body_ended: body_ended.map(Duration::from_millis),
        ..exchange(Route::UploadCommit, 0, None)
    }
}

#[test]
fn what_overlaps() {
    for (spans, expected) in [
        (vec![], 0),
        (vec![(0, Some(5)), (5, Some(9))], 1),
        (vec![(0, Some(5)), (4, Some(9))], 2),
        (vec![(0, Some(9)), (1, Some(2)), (3, Some(4)), (3, None)], 3),
        (vec![(0, None), (1, None)], 2),
    ] {
        let exchanges = spans
            .iter()
            .map(|(at, ended)| exchange(Route::BlobHead, *at, *ended));
        let mut journal = Journal {
            exchanges: exchanges.collect(),
        };
        journal.exchanges.push(exchange(Route::Base, 0, None));
        assert_eq!(
            journal.most_in_flight(Route::BlobHead),
            expected,
            "{spans:?}"
        );

        let bodies = spans.iter().map(|(began, ended)| commit(*began, *ended));
        let mut journal = Journal {
            exchanges: bodies.collect(),
        };
        // Its head is there, and nothing of its body.
        journal
            .exchanges
            .push(exchange(Route::UploadCommit, 0, None));
        assert_eq!(journal.most_bodies_in_flight(), expected, "{spans:?}");
    }
}

#[test]
fn what_was_until_a_moment() {
    let journal = Journal {
        exchanges: vec![commit(1, Some(3)), commit(2, Some(9)), commit(3, None)],
    };
    let counts = [0, 1, 2, 3].map(|moment| {
        let journal = journal.until(Duration::from_millis(moment));
        journal.most_bodies_in_flight()
    });
    assert_eq!(counts, [0, 1, 2, 2]);
}

#[test]
fn what_is_under_way_when_the_journal_is_cleared_is_forgotten() {
    let recorder = Recorder::new();
    let first = recorder.begin(exchange(Route::BlobHead, 0, None));
    recorder.clear();
    let second = recorder.begin(exchange(Route::ManifestPut, 0, None));
    recorder.body(first, 7);
    recorder.end(first, Some(200));
    let [kept] = recorder.snapshot().exchanges.try_into().expect("one");
    assert_eq!((kept.route, kept.status), (Route::ManifestPut, None));
    assert_eq!((kept.body_bytes, kept.ended), (0, None));
    recorder.body(second, 10);
    recorder.end_body(second);
    recorder.end(second, Some(201));
    let [kept] = recorder.snapshot().exchanges.try_into().expect("one");
    assert_eq!((kept.body_bytes, kept.status), (10, Some(201)));
    assert!(kept.body_began.is_some() && kept.body_ended.is_some());
    assert_ne!(first.number(), second.number());
}
