//! What a tree is worth at an event.
//!
//! `&&` and `||` decide by a part that can: what fails beside it does not matter, whichever comes first. So it is with `all` and `exists`.

use super::arithmetic::{calculated, negated};
use super::call::called;
use super::cost::Cost;
use super::event::Event;
use super::node::{Node, Quantifier};
use super::value::{Fail, Value, relates};

/// One evaluation.
#[derive(Debug)]
pub(super) struct Evaluation<'v> {
    event: &'v Event<'v>,
    cost: &'v Cost,
    /// What quantifiers have bound, from the outermost on.
    bound: Vec<Value<'v>>,
}

impl<'v> Evaluation<'v> {
    pub(super) fn of(event: &'v Event<'v>, cost: &'v Cost) -> Self {
        Self {
            event,
            cost,
            bound: Vec::new(),
        }
    }

    pub(super) fn value(&mut self, node: &'v Node) -> Result<Value<'v>, Fail> {
        let cost = self.cost;
        cost.step(0)?;
        Ok(match node {
            Node::Null => Value::Null,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Int(int) => Value::Int(*int),
            Node::Double(double) => Value::Double(*double),
            Node::Text(text) => Value::Text((&**text).into()),
            Node::List(nodes) => Value::List(self.values(nodes)?),
            Node::Variable(variable) => self.event.value(*variable, cost)?,
            Node::Bound(index) => self.bound(*index)?,
            Node::Member(of, name) => self.value(of)?.member(name, cost)?.ok_or(Fail)?,
            Node::Has(of, name) => Value::Bool(self.value(of)?.member(name, cost)?.is_some()),
            Node::Index(parts) => {
                let (of, index) = self.both(parts)?;
                of.index(&index, cost)?
            }
            Node::Not(of) => Value::Bool(!self.truth(of)?),
            Node::Negate(of) => negated(&self.value(of)?)?,
            Node::All(nodes) => Value::Bool(self.every(nodes)?),
            Node::Any(nodes) => Value::Bool(self.any(nodes)?),
            Node::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                let chosen = if self.truth(condition)? { yes } else { no };
                self.value(chosen)?
            }
            Node::Relation(relation, parts) => {
                let (left, right) = self.both(parts)?;
                Value::Bool(relates(*relation, &left, right, cost)?)
            }
            Node::Arithmetic(operator, parts) => {
                let (left, right) = self.both(parts)?;
                calculated(*operator, left, right, cost)?
            }
            Node::Call(function, arguments) => {
                let arguments = self.values(arguments)?;
                called(*function, arguments, cost)?
            }
            Node::Each(quantifier, parts) => Value::Bool(self.each(*quantifier, parts)?),
        })
    }

    fn truth(&mut self, node: &'v Node) -> Result<bool, Fail> {
        self.value(node)?.truth()
    }

    fn both(&mut self, parts: &'v [Node; 2]) -> Result<(Value<'v>, Value<'v>), Fail> {
        Ok((self.value(&parts[0])?, self.value(&parts[1])?))
    }

    fn values(&mut self, nodes: &'v [Node]) -> Result<Vec<Value<'v>>, Fail> {
        nodes.iter().map(|node| self.value(node)).collect()
    }

    fn bound(&self, index: usize) -> Result<Value<'v>, Fail> {
        let value = &self.bound[index];
        self.cost.step(value.copied_bytes())?;
        Ok(value.clone())
    }

    fn every(&mut self, nodes: &'v [Node]) -> Result<bool, Fail> {
        decide(false, nodes.iter().map(|node| self.truth(node)))
    }

    fn any(&mut self, nodes: &'v [Node]) -> Result<bool, Fail> {
        decide(true, nodes.iter().map(|node| self.truth(node)))
    }

    fn each(&mut self, quantifier: Quantifier, parts: &'v [Node; 2]) -> Result<bool, Fail> {
        let [of, asked] = parts;
        let items = self.value(of)?.items(self.cost)?.into_iter();
        let mut answers = items.map(|item| {
            self.bound.push(item);
            let truth = self.truth(asked);
            self.bound.pop();
            truth
        });
        match quantifier {
            Quantifier::All => decide(false, answers),
            Quantifier::Exists => decide(true, answers),
            Quantifier::ExistsOne => {
                let count = answers.try_fold(0, |count, answer| Ok(count + usize::from(answer?)));
                Ok(count? == 1)
            }
        }
    }
}

/// What is decided by one answer that is `decisive`, and otherwise by all of them.
fn decide(decisive: bool, answers: impl Iterator<Item = Result<bool, Fail>>) -> Result<bool, Fail> {
    let mut all = Ok(!decisive);
    for answer in answers {
        match answer {
            Ok(answer) if answer == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(Fail) => all = Err(Fail),
        }
    }
    all
}
