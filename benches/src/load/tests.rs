//! The generator against a server in this process: it counts right, and notices what is not right. No times are looked at.

use std::net::SocketAddr;
use std::slice;
use std::time::Duration;

use feedwire_testkit::TestServer;

use super::{
    Audience as _, Begin, Closed, Crowd, Drip, FAILING, Fanout, Fill, Framing, Job, Nobody, Pace,
    Pages, Protocol, Receiver, Request, Taken, Tally, Waiters,
};
use crate::event::Event;
use crate::interrupt;
use crate::peers::PROJECT;

const PUBLISH: &str = "/v1/projects/default/feeds/flights/events";
const FEED: &str = "/v1/projects/default/feeds/flights";
const SPAN: Duration = Duration::from_millis(50);

/// Runs `load`, which blocks, against a server.
async fn against_server<T: Send + 'static>(
    load: impl FnOnce(SocketAddr) -> anyhow::Result<T> + Send + 'static,
) -> T {
    let server = TestServer::start().await;
    let address = server.address;
    let load = tokio::task::spawn_blocking(move || load(address));
    let done = load.await.expect("it does not panic");
    server.stopped().await;
    done.expect("it succeeds")
}

/// All events of the feed.
fn read_all(address: SocketAddr) -> anyhow::Result<Tally> {
    let mut pages = Pages::open(address)?;
    let (mut tally, mut cursor, mut has_more) = (Tally::default(), "0".to_owned(), true);
    while has_more {
        let page = pages.get(&format!("{FEED}?after={cursor}&limit=1000"))?;
        tally.add(page.tally());
        (cursor, has_more) = (page.cursor()?, page.has_more());
    }
    Ok(tally)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_loop_counts_what_the_server_has() {
    for events in [1, 10] {
        against_server(move |address| {
            let request = Request::post(address, PUBLISH, events, 200);
            let load = Closed {
                address,
                protocol: Protocol::Http,
                request: &request,
                connections: 4,
                subjects: 7,
                warm_up: SPAN,
                span: SPAN,
            };
            let mut edges = 0;
            let measured = load.run(|| {
                edges += 1;
                Ok(())
            })?;
            let tally = read_all(address)?;
            assert_eq!(edges, 2);
            assert!(measured.events > 0 && measured.events < measured.answered);
            assert_eq!(tally.events, measured.answered);
            assert_eq!(tally.numbers, (0..measured.answered).sum::<u64>());
            Ok(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reader_of_a_fan_out_has_what_was_acknowledged() {
    for (pace, events) in [
        (Pace::Fixed(1_000), 1),
        (Pace::Undelivered(100), 1),
        (Pace::Undelivered(100), 3),
    ] {
        against_server(move |address| {
            let stream = Request::get(address, FEED, "text/event-stream");
            let mut crowd = Crowd::open(address, 5, Framing::Sse, |_| stream.clone())?;
            let request = Request::post(address, PUBLISH, events, 200);
            let load = Fanout {
                address,
                requests: slice::from_ref(&request),
                publishers: 3,
                subjects: 7,
                fan: 5,
                pace,
                span: SPAN,
            };
            let mut delivered = load.run(&mut crowd)?;
            assert!(delivered.events > 0);
            assert_eq!(delivered.deliveries, delivered.events * 5);
            assert_eq!(delivered.latency().total(), delivered.deliveries);
            delivered.must_be_whole(&crowd)?;
            delivered.acknowledged.positions += 1;
            assert!(delivered.must_be_whole(&crowd).is_err());
            Ok(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_read_whole_in_every_framing() {
    against_server(|address| {
        let mut fill = Fill::open(address)?;
        let mut batch = Request::post(address, PUBLISH, 100, 300);
        for first in [0, 100, 200] {
            fill.publish(&mut batch, first, 7)?;
        }
        let wanted = (300, (0..300).sum::<u64>());
        let pages = read_all(address)?;
        assert_eq!((pages.events, pages.numbers), wanted);
        for framing in [Framing::Sse, Framing::Ndjson] {
            let accept = framing.accept();
            let request = Request::get(address, &format!("{FEED}?from=start&limit=300"), accept);
            let mut crowd = Crowd::open(address, 2, framing, |_| request.clone())?;
            while !crowd.have_ended() {
                crowd.wait(interrupt::LOOK)?;
                crowd.take(&mut Nobody)?;
            }
            for tally in crowd.tallies() {
                assert_eq!((tally.events, tally.numbers), wanted);
                assert_eq!(tally.unordered, 0);
            }
            assert!(crowd.bytes() > 2 * 300 * 300);
        }
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_read_whole_in_every_framing() {
    against_server(|address| {
        let (entities, states) = (format!("{FEED}/entities"), format!("{FEED}?from=state"));
        let mut fill = Fill::open(address)?;
        let mut lines = Request::lines(address, &entities, 100, &Event::entity(300));
        for first in [0, 100, 200] {
            fill.publish(&mut lines, first, 100)?;
        }
        // Each of them is what it was put last, but for one.
        fill.publish(&mut Request::put_entity(address, &entities, 300), 300, 100)?;
        let wanted = (100, (201..=300).sum::<u64>());
        for framing in [Framing::Sse, Framing::Ndjson] {
            let accept = framing.accept();
            let request = Request::get(address, &states, accept);
            let mut crowd = Crowd::open(address, 1, framing, |_| request.clone())?;
            while !crowd.have_ended() {
                crowd.wait(interrupt::LOOK)?;
                crowd.take(&mut Nobody)?;
            }
            for tally in crowd.tallies() {
                assert_eq!((tally.events, tally.numbers), wanted);
            }
        }
        let mut pages = Pages::open(address)?;
        let first = pages.get(&format!("{states}&limit=60"))?;
        let (mut tally, cursor) = (first.tally(), first.cursor()?);
        assert!(!first.is_marked());
        let second = pages.get(&format!("{FEED}?after={cursor}&limit=60"))?;
        tally.add(second.tally());
        assert!(second.is_marked());
        assert_eq!((tally.events, tally.numbers), wanted);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_job_is_waited_for_to_its_end() {
    against_server(|address| {
        let entities = format!("{FEED}/entities");
        let mut lines = Request::lines(address, &entities, 100, &Event::entity(300));
        Fill::open(address)?.publish(&mut lines, 0, 100)?;
        let job = Job::start(address, PROJECT, "flights")?;
        assert_eq!((job.start, job.finish()?), (100, 100));
        assert_eq!(job.written("done")?, 100);
        assert!(job.written("running").is_err() && job.cancel().is_err());
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_longer_than_the_room_for_them_are_taken_whole() {
    against_server(|address| {
        let mut fill = Fill::open(address)?;
        fill.publish(&mut Request::post(address, PUBLISH, 1_000, 300), 0, 7)?;
        let page = format!("{FEED}?after=0&limit=1000");
        let request = Request::get(address, &page, "application/json");
        let load = Closed {
            address,
            protocol: Protocol::Http,
            request: &request,
            connections: 4,
            subjects: 1,
            warm_up: SPAN,
            span: SPAN,
        };
        let measured = load.run(|| Ok(()))?;
        assert!(measured.latency.total() > 0);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_beside_a_load_is_what_the_server_has() {
    against_server(|address| {
        let request = Request::post(address, PUBLISH, 3, 200).with("x-one", "more");
        let drip = Drip::start(address, request, 1_000)?;
        while read_all(address)?.events < 9 {}
        let written = drip.end()?;
        assert!(written >= 3);
        assert_eq!(read_all(address)?.events, written * 3);
        Ok(())
    })
    .await;
}

/// Waiters on polls that the server lets wait for `wait`, and that are expected to be answered after `turn` with `nothing`.
async fn wait(
    wait: &str,
    turn: Duration,
    late_most: Duration,
    nothing: &'static str,
) -> anyhow::Result<u64> {
    let path = format!("{FEED}?after=0&wait={wait}");
    against_server(move |address| {
        let begin = Begin {
            address,
            request: &Request::get(address, &path, "application/json"),
            count: 5,
            turn,
            late_most,
            nothing: nothing.as_bytes(),
        };
        let waited = Waiters::open(begin).and_then(|mut waiters| waiters.wait(turn * 2));
        Ok(waited.map(|waited| waited.total()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn waiters_ask_again_when_they_are_told_that_there_is_nothing() {
    const NOTHING: &str = r#"{"events":[],"cursor":"0","has_more":false,"head":0}"#;
    let turn = Duration::from_millis(100);
    let long = Duration::from_secs(30);
    let answers = wait("100ms", turn, long, NOTHING).await;
    assert!(answers.expect("they wait") >= 5);
    for (what, waited) in [
        ("at once", wait("0s", turn, long, NOTHING).await),
        ("not at all", wait("60s", turn, turn, NOTHING).await),
        ("something", wait("100ms", turn, long, "{}").await),
    ] {
        assert!(waited.is_err(), "{what}");
    }
}

#[test]
fn a_receiver_counts_what_it_takes_and_refuses_what_is_to_fail() {
    let mut receiver = Receiver::open(2).expect("there are ports");
    let addresses = receiver.addresses().expect("it listens");
    let sending = std::thread::spawn(move || {
        let mut bytes = 0;
        for address in addresses {
            let mut batch = Request::post(address, "/", 10, 200);
            let mut fill = Fill::open(address).expect("it accepts");
            for first in [0, 10] {
                fill.publish(&mut batch, first, 7).expect("it is taken");
                bytes += batch.bytes().len() as u64;
            }
            let failing = Request::post(address, FAILING, 1, 200);
            fill.send(&failing).expect_err("it is refused");
        }
        bytes
    });
    while !sending.is_finished() {
        receiver.wait(interrupt::LOOK).expect("it waits");
        receiver.take(&mut Nobody).expect("all of it is good");
    }
    let wanted = Taken {
        requests: 4,
        bytes: sending.join().expect("it does not panic"),
        events: 40,
        numbers: 2 * (0..20).sum::<u64>(),
        refused: 2,
    };
    assert_eq!(receiver.taken(), wanted);
    assert_eq!(receiver.taken().since(wanted), Taken::default());
}
