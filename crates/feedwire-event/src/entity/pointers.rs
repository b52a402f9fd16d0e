//! A list of pointers that is bounded while it is made.

use super::{DIFFERENCE_DEPTH, pointer};

/// Where a walk through the members of a state is.
#[derive(Debug, Default)]
pub(super) struct Path {
    pointer: String,
    steps: Vec<Step>,
    /// How many members were entered.
    entered: usize,
}

/// A member that was entered and not left.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// The bytes of the pointer to it.
    len: usize,
    /// Which of all that were entered it is.
    number: usize,
}

impl Path {
    /// Goes into the member `name`.
    pub(super) fn enter(&mut self, name: &str) {
        pointer::push(&mut self.pointer, name);
        self.entered += 1;
        self.steps.push(Step {
            len: self.pointer.len(),
            number: self.entered,
        });
    }

    /// Goes back to what the member is in.
    pub(super) fn leave(&mut self) {
        self.steps.pop();
        let len = self.steps.last().map_or(0, |step| step.len);
        self.pointer.truncate(len);
    }

    /// How many members deep it is.
    pub(super) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// What it is in at `depth` members, or itself.
    fn step(&self, depth: usize) -> Step {
        let at = depth.min(self.steps.len()).checked_sub(1);
        at.map_or(Step { len: 0, number: 0 }, |at| self.steps[at])
    }
}

/// Pointers in the order of a walk that goes into each member once. Where they get too long they are cut to fewer steps, all of them.
#[derive(Debug)]
pub(super) struct Pointers {
    list: Vec<String>,
    bytes: usize,
    bytes_max: usize,
    steps_max: usize,
    /// Which member was entered last of those that are in the list.
    last: Option<usize>,
}

impl Pointers {
    /// None, in a JSON array of at most `bytes_max`, or of the empty pointer alone.
    pub(super) fn within(bytes_max: usize) -> Self {
        Self {
            list: Vec::new(),
            bytes: 0,
            bytes_max,
            steps_max: DIFFERENCE_DEPTH,
            last: None,
        }
    }

    /// Adds where `path` is, or what it is in.
    pub(super) fn push(&mut self, path: &Path) {
        let step = path.step(self.steps_max);
        if self.last == Some(step.number) {
            return;
        }
        let pointer = &path.pointer[..step.len];
        self.bytes += pointer::written_bytes(pointer);
        self.list.push(pointer.to_owned());
        // The brackets make one more than the commas, which are counted with the pointers.
        while self.bytes + 1 > self.bytes_max && self.steps_max > 0 {
            self.cut();
        }
        self.last = Some(path.step(self.steps_max).number);
    }

    fn cut(&mut self) {
        self.steps_max -= 1;
        for pointer in &mut self.list {
            let end = pointer.match_indices('/').nth(self.steps_max);
            if let Some((end, _)) = end {
                pointer.truncate(end);
            }
        }
        // What is in one member stands together.
        self.list.dedup();
        let bytes = self
            .list
            .iter()
            .map(|pointer| pointer::written_bytes(pointer));
        self.bytes = bytes.sum();
    }

    /// The pointers.
    pub(super) fn into_list(self) -> Vec<String> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(bytes_max: usize, paths: &[&[&str]]) -> Vec<String> {
        let mut pointers = Pointers::within(bytes_max);
        let mut at = Path::default();
        let mut names: Vec<&str> = Vec::new();
        for path in paths {
            let same = names
                .iter()
                .zip(*path)
                .take_while(|(one, other)| one == other);
            let same = same.count();
            (same..names.len()).for_each(|_| at.leave());
            path[same..].iter().for_each(|name| at.enter(name));
            names = path.to_vec();
            pointers.push(&at);
        }
        pointers.into_list()
    }

    #[test]
    fn as_many_steps_are_told_as_there_is_room_for() {
        let paths: [&[&str]; 4] = [
            &["a", "b", "c"],
            &["a", "b", "d"],
            &["a", "\u{e9}"],
            &["f/g"],
        ];
        let check = |bytes_max: usize, pointers: &[&str]| {
            let listed = listed(bytes_max, &paths);
            assert_eq!(listed, pointers, "{bytes_max}");
            let mut list = Vec::new();
            pointer::write_list(&listed, &mut list);
            assert!(list.len() <= bytes_max.max(4), "{bytes_max}");
        };
        check(44, &["/a/b/c", "/a/b/d", "/a/\u{e9}", "/f~1g"]);
        check(38, &["/a/b", "/a/\u{e9}", "/f~1g"]);
        check(28, &["/a/b", "/a/\u{e9}", "/f~1g"]);
        check(27, &["/a", "/f~1g"]);
        check(14, &["/a", "/f~1g"]);
        check(13, &[""]);
        check(0, &[""]);
        assert!(listed(0, &[]).is_empty());
    }
}
