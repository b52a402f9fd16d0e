//! Who may have part in a stream.

use feedwire_event::{FeedName, Subject};

use super::streaming::{name, settings, world};
use crate::stream::{Error, Selection, Settings};
use crate::{Allowance, Confinement, Forbidden, LabelFilter, Right, Rights, read};

#[tokio::test(start_paused = true)]
async fn who_may_not_have_all_that_a_stream_sends_has_no_part_in_it() {
    let world = world(Settings {
        selection: Selection {
            feeds: vec![FeedName::new("f").expect("a name")],
            ..Selection::default()
        },
        ..settings()
    })
    .await;
    let allowance = |rights: &[Right], feed: &str, confinement| Allowance {
        rights: rights.iter().copied().collect::<Rights>(),
        feeds: vec![feed.parse().expect("a pattern")],
        confinement,
    };
    let try_join = |allowance| {
        let world = world.granting(allowance);
        async move { world.core.join(&world.grant, &name()).await.map(drop) }
    };
    let streams = [Right::Streams];
    assert!(try_join(allowance(&streams, "f", None)).await.is_ok());
    let own = Confinement::Subjects(vec![Subject::new("1").expect("a subject")]);
    let refused = [
        try_join(allowance(&[Right::Read], "f", None)).await,
        try_join(allowance(&streams, "g", None)).await,
        try_join(allowance(&streams, "f", Some(own))).await,
    ];
    let refused = refused.map(|refused| match refused {
        Err(Error::Read(read::Error::Forbidden(forbidden))) => forbidden,
        other => panic!("forbidden, not {other:?}"),
    });
    let feed = FeedName::new("f").expect("a name");
    assert_eq!(
        refused,
        [
            Forbidden::Right(Right::Streams),
            Forbidden::Feed(feed),
            Forbidden::Confined
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_confined_by_labels_has_part_in_a_stream_that_asks_for_them() {
    let label = |key: &str| LabelFilter {
        key: key.into(),
        value: None,
    };
    let world = world(Settings {
        selection: Selection {
            labels: vec![label("floor"), label("room")],
            ..Selection::default()
        },
        ..settings()
    })
    .await;
    let try_join = |key| {
        let world = world.granting(Allowance {
            rights: [Right::Streams].into_iter().collect(),
            feeds: Vec::new(),
            confinement: Some(Confinement::Labels(vec![label(key)])),
        });
        async move { world.core.join(&world.grant, &name()).await.map(drop) }
    };
    assert!(try_join("room").await.is_ok());
    let refused = try_join("house").await;
    let Err(Error::Read(read::Error::Forbidden(Forbidden::Confined))) = refused else {
        panic!("forbidden, not {refused:?}")
    };
}
