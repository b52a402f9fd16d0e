//! The parts of the benchmark, each a few tables.

mod bench;
mod entities;
mod entities_bulk;
mod entities_load;
mod entities_one;
mod entities_state;
mod fanout;
mod fanout_filtered;
mod fanout_fixed;
mod fanout_full;
mod idle;
mod idle_still;
mod idle_subjects;
mod poll;
mod publish;
mod publish_batches;
mod publish_one;
mod push;
mod push_failing;
mod push_fast;
mod push_idle;
mod reading;
mod replay;
mod replay_pages;
mod replay_small;
mod replay_whole;
mod serialized;
mod serialized_polls;
mod serialized_waits;
mod streams;
mod streams_shared;
mod streams_taken_over;

use anyhow::Context as _;

use crate::arguments::{Options, Part};
use crate::report::Report;
use crate::{cores, interrupt};

use bench::Bench;

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    interrupt::listen()?;
    std::fs::create_dir_all(&options.scratch)
        .with_context(|| format!("cannot make {}", options.scratch.display()))?;
    let bench = Bench::new(options)?;
    cores::pin(bench.cores.generator)?;
    let all = [
        Part::Publish,
        Part::Poll,
        Part::Fanout,
        Part::Replay,
        Part::Idle,
        Part::Serialized,
        Part::Streams,
        Part::Entities,
        Part::Push,
    ];
    for part in all {
        if options.part.is_none_or(|asked| asked == part) {
            let mut report = Report::default();
            bench.introduce(&mut report);
            run_part(part, &bench, &mut report)?;
            report.write(&options.tables.join(format!("{}.md", part.name())))?;
        }
    }
    Ok(())
}

fn run_part(part: Part, bench: &Bench<'_>, report: &mut Report) -> anyhow::Result<()> {
    match part {
        Part::Publish => publish::run(bench, report),
        Part::Poll => poll::run(bench, report),
        Part::Fanout => fanout::run(bench, report),
        Part::Replay => replay::run(bench, report),
        Part::Idle => idle::run(bench, report),
        Part::Serialized => serialized::run(bench, report),
        Part::Streams => streams::run(bench, report),
        Part::Entities => entities::run(bench, report),
        Part::Push => push::run(bench, report),
    }
}
