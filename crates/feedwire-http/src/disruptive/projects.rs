//! Projects: one, and listed, each with how many devices are in it.

use feedwire_core::limits::STORE_SCAN;
use feedwire_core::roster::Part;
use feedwire_core::{Core, Grant, read};
use feedwire_dialects::disruptive::answer::{self as told, Listed};
use feedwire_dialects::disruptive::request;
use hyper::body::Incoming;

use super::reach::readable;
use super::refuse::Refused;
use crate::answer::{self, Answer};
use crate::asked::Asked;

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let query = request::projects(asked.query())?;
    let is_asked = |grant: &Grant| {
        let name = grant.project();
        let is_behind = query.after.as_ref().is_none_or(|after| name > after);
        let holds = |search: &String| name.as_str().to_lowercase().contains(search);
        is_behind && query.search.as_ref().is_none_or(holds)
    };
    let found = readable(&asked).filter(is_asked).take(query.page_size + 1);
    let mut found: Vec<Grant> = found.collect();
    let is_more = found.len() > query.page_size;
    found.truncate(query.page_size);
    let next = found.last().filter(|_| is_more).map(Grant::project);
    let mut projects = Vec::new();
    for grant in &found {
        match count(asked.edge.core(), grant).await {
            Ok(listed) => projects.push(listed),
            // It was deleted meanwhile.
            Err(read::Error::UnknownProject(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(answer::json_text(told::projects(&projects, next)))
}

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let listed = count(asked.edge.core(), asked.grant()).await?;
    Ok(answer::json_text(told::project(&listed)))
}

/// The project of `grant`, with the devices in it that may be read.
async fn count(core: &Core, grant: &Grant) -> Result<Listed, read::Error> {
    let name = grant.project();
    if !core.project_exists(name) {
        return Err(read::Error::UnknownProject(name.clone()));
    }
    let mut listed = Listed::new(name);
    let mut part = Part {
        limit: STORE_SCAN,
        ..Part::default()
    };
    loop {
        let page = match core.roster(grant, &request::roster(), &part).await {
            // Other feeds of it may be.
            Err(read::Error::Forbidden(_)) => return Ok(listed),
            page => page?,
        };
        for (_, labels) in &page.subjects {
            listed.count(labels);
        }
        part.after = page.subjects.last().map(|(name, _)| name.clone());
        if !page.more {
            return Ok(listed);
        }
    }
}
