//! The life of projects: made, opened and closed, looked after, deleted.

mod auditing;
mod deleting;
mod idling;
mod making;
mod patrolling;

use feedwire_event::ProjectName;

use super::world::World;

fn name(text: &str) -> ProjectName {
    ProjectName::new(text).expect("a name")
}

async fn make(world: &World, text: &str) {
    let made = world.core.create_project(&name(text)).await;
    made.expect("made");
}

async fn delete(world: &World, text: &str) {
    let deleted = world.core.delete_project(&name(text)).await;
    deleted.expect("deleted");
}

/// The names of the projects that are open.
async fn open(world: &World) -> Vec<String> {
    let projects = world.core.stats().await.projects.into_iter();
    projects.map(|project| project.name.to_string()).collect()
}

fn names(world: &World) -> Vec<String> {
    let names = world.core.projects().into_iter();
    names.map(|name| name.to_string()).collect()
}
