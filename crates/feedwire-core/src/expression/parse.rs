//! From the words of an expression to its tree.
//!
//! Operators bind as the language has it, by precedence; a chain of `&&` or `||` is one node, however long it is. How deep the parser recurs
//! and how deep a tree is have the same bound.

use super::ExpressionError;
use super::node::{DEPTH_MAX, Function, Node, Operator, Quantifier, Relation, Variable};
use super::token::{Token, Words};

/// The tree of `text`.
pub(super) fn parse(text: &str) -> Result<Node, ExpressionError> {
    let mut words = Words::of(text);
    let next = words.next()?;
    let mut parser = Parser {
        words,
        next,
        nesting: 0,
        bound: Vec::new(),
    };
    let part = parser.expression()?;
    match &parser.next {
        (Token::End, _) => Ok(part.node),
        _ => Err(parser.unexpected("the end, or an operator")),
    }
}

#[derive(Debug)]
struct Parser<'t> {
    words: Words<'t>,
    /// The next word, and where it begins.
    next: (Token, usize),
    nesting: usize,
    /// The names that quantifiers have bound here, from the outermost on.
    bound: Vec<String>,
}

/// A part of the tree.
#[derive(Debug)]
struct Part {
    node: Node,
    depth: usize,
    /// Where it begins in the text.
    at: usize,
}

/// An operator between two parts.
#[derive(Clone, Copy)]
enum Between {
    Or,
    And,
    Relation(Relation),
    Arithmetic(Operator),
}

impl Between {
    fn of(token: &Token) -> Option<Self> {
        let relation = |relation| Some(Self::Relation(relation));
        let arithmetic = |operator| Some(Self::Arithmetic(operator));
        match token {
            Token::Sign("||") => Some(Self::Or),
            Token::Sign("&&") => Some(Self::And),
            Token::Sign("==") => relation(Relation::Equal),
            Token::Sign("!=") => relation(Relation::Unequal),
            Token::Sign("<") => relation(Relation::Less),
            Token::Sign("<=") => relation(Relation::LessOrEqual),
            Token::Sign(">") => relation(Relation::Greater),
            Token::Sign(">=") => relation(Relation::GreaterOrEqual),
            Token::Name(name) if name == "in" => relation(Relation::In),
            Token::Sign("+") => arithmetic(Operator::Add),
            Token::Sign("-") => arithmetic(Operator::Subtract),
            Token::Sign("*") => arithmetic(Operator::Multiply),
            Token::Sign("/") => arithmetic(Operator::Divide),
            Token::Sign("%") => arithmetic(Operator::Remainder),
            _ => None,
        }
    }

    /// How strongly it binds.
    fn rank(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Relation(_) => 3,
            Self::Arithmetic(Operator::Add | Operator::Subtract) => 4,
            Self::Arithmetic(Operator::Multiply | Operator::Divide | Operator::Remainder) => 5,
        }
    }
}

impl Parser<'_> {
    fn error<T>(&self, at: usize, reason: impl Into<String>) -> Result<T, ExpressionError> {
        Err(self.words.error(at, reason))
    }

    fn unexpected(&self, expected: &str) -> ExpressionError {
        let (token, at) = &self.next;
        let found = match token {
            Token::Name(name) => format!("`{name}`"),
            Token::Int(_) | Token::Double(_) => "a number".to_owned(),
            Token::Text(_) => "a text".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        let reason = format!("here is {found} where {expected} is expected");
        self.words.error(*at, reason)
    }

    fn take(&mut self) -> Result<(Token, usize), ExpressionError> {
        let next = self.words.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Whether `sign` is next; it is taken then.
    fn takes(&mut self, sign: &str) -> Result<bool, ExpressionError> {
        let is_next = matches!(&self.next.0, Token::Sign(next) if *next == sign);
        if is_next {
            self.take()?;
        }
        Ok(is_next)
    }

    fn expect(&mut self, sign: &str) -> Result<(), ExpressionError> {
        if self.takes(sign)? {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}`")))
    }

    /// A part at `at` with a `node` over parts that are up to `depth` deep.
    fn part(&self, at: usize, depth: usize, node: Node) -> Result<Part, ExpressionError> {
        if depth >= DEPTH_MAX {
            return self.error(at, too_deep());
        }
        Ok(Part {
            node,
            depth: depth + 1,
            at,
        })
    }

    /// What `inner` reads, one deeper.
    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ExpressionError>,
    ) -> Result<T, ExpressionError> {
        if self.nesting == DEPTH_MAX {
            return self.error(self.next.1, too_deep());
        }
        self.nesting += 1;
        let read = inner(self);
        self.nesting -= 1;
        read
    }

    fn expression(&mut self) -> Result<Part, ExpressionError> {
        self.nested(|parser| {
            let condition = parser.binary(0)?;
            if !parser.takes("?")? {
                return Ok(condition);
            }
            let yes = parser.binary(0)?;
            parser.expect(":")?;
            let no = parser.expression()?;
            let depth = condition.depth.max(yes.depth).max(no.depth);
            let parts = [condition.node, yes.node, no.node];
            parser.part(condition.at, depth, Node::Choice(parts.into()))
        })
    }

    /// Parts with operators between them that bind more strongly than `rank`.
    fn binary(&mut self, rank: u8) -> Result<Part, ExpressionError> {
        let mut left = self.unary()?;
        while let Some(between) = Between::of(&self.next.0).filter(|found| found.rank() > rank) {
            self.take()?;
            let right = self.binary(between.rank())?;
            left = self.joined(between, left, right)?;
        }
        Ok(left)
    }

    fn joined(&self, between: Between, left: Part, right: Part) -> Result<Part, ExpressionError> {
        let at = left.at;
        let depth = left.depth.max(right.depth);
        // One more part of a chain makes it no deeper.
        let chain_depth = right.depth.max(left.depth - 1);
        let parts = match (between, left.node) {
            (Between::And, Node::All(mut parts)) => {
                parts.push(right.node);
                return self.part(at, chain_depth, Node::All(parts));
            }
            (Between::Or, Node::Any(mut parts)) => {
                parts.push(right.node);
                return self.part(at, chain_depth, Node::Any(parts));
            }
            (_, node) => [node, right.node],
        };
        let node = match between {
            Between::And => Node::All(parts.into()),
            Between::Or => Node::Any(parts.into()),
            Between::Relation(relation) => Node::Relation(relation, parts.into()),
            Between::Arithmetic(operator) => Node::Arithmetic(operator, parts.into()),
        };
        self.part(at, depth, node)
    }

    fn unary(&mut self) -> Result<Part, ExpressionError> {
        let at = self.next.1;
        if self.takes("!")? {
            let of = self.nested(Self::unary)?;
            return self.part(at, of.depth, Node::Not(of.node.into()));
        }
        if !self.takes("-")? {
            return self.member();
        }
        // The least int has no positive.
        let number = match self.next.0 {
            Token::Int(number) => 0_i64.checked_sub_unsigned(number),
            _ => None,
        };
        if let Some(number) = number {
            self.take()?;
            let number = self.part(at, 0, Node::Int(number))?;
            return self.members_of(number);
        }
        let of = self.nested(Self::unary)?;
        self.part(at, of.depth, Node::Negate(of.node.into()))
    }

    fn member(&mut self) -> Result<Part, ExpressionError> {
        let primary = self.primary()?;
        self.members_of(primary)
    }

    /// What is taken of `of` by points and brackets.
    fn members_of(&mut self, mut of: Part) -> Result<Part, ExpressionError> {
        loop {
            let at = of.at;
            if self.takes(".")? {
                let (name, name_at) = self.name("the name of a member or of a function")?;
                of = if self.takes("(")? {
                    self.method(of, &name, name_at)?
                } else {
                    self.part(at, of.depth, Node::Member(of.node.into(), name.into()))?
                };
            } else if self.takes("[")? {
                let index = self.expression()?;
                self.expect("]")?;
                let depth = of.depth.max(index.depth);
                of = self.part(at, depth, Node::Index([of.node, index.node].into()))?;
            } else {
                return Ok(of);
            }
        }
    }

    fn name(&mut self, what: &str) -> Result<(String, usize), ExpressionError> {
        if !matches!(self.next.0, Token::Name(_)) {
            return Err(self.unexpected(what));
        }
        let (token, at) = self.take()?;
        match token {
            Token::Name(name) => Ok((name, at)),
            _ => self.error(at, "a name is expected here"),
        }
    }

    fn primary(&mut self) -> Result<Part, ExpressionError> {
        match self.next.0 {
            Token::Sign("(") => {
                self.take()?;
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                let (_, at) = self.take()?;
                let (elements, depth) = self.parts("]")?;
                return self.part(at, depth, Node::List(elements));
            }
            Token::Sign("{") => {
                return self.error(self.next.1, "maps cannot be written here; lists can");
            }
            Token::Sign(_) | Token::End => return Err(self.unexpected("a value")),
            Token::Name(_) | Token::Int(_) | Token::Double(_) | Token::Text(_) => {}
        }
        let (token, at) = self.take()?;
        let node = match token {
            Token::Int(number) => match i64::try_from(number) {
                Ok(number) => Node::Int(number),
                Err(_) => return self.error(at, "this number is too large for an int"),
            },
            Token::Double(number) => Node::Double(number),
            Token::Text(text) => Node::Text(text.into()),
            Token::Name(name) if self.takes("(")? => return self.global(&name, at),
            Token::Name(name) => self.named(&name, at)?,
            Token::Sign(_) | Token::End => return self.error(at, "a value is expected here"),
        };
        self.part(at, 0, node)
    }

    /// What `name` stands for.
    fn named(&self, name: &str, at: usize) -> Result<Node, ExpressionError> {
        let bound = self.bound.iter().rposition(|bound| bound == name);
        match (name, bound, Variable::named(name)) {
            ("true", ..) => Ok(Node::Bool(true)),
            ("false", ..) => Ok(Node::Bool(false)),
            ("null", ..) => Ok(Node::Null),
            (_, Some(bound), _) => Ok(Node::Bound(bound)),
            (_, None, Some(variable)) => Ok(Node::Variable(variable)),
            (_, None, None) => {
                let known = Variable::names();
                self.error(at, format!("there is no `{name}`; an event has {known}"))
            }
        }
    }

    /// Parts with commas between them, up to the sign `end`, and how deep they are.
    fn parts(&mut self, end: &str) -> Result<(Vec<Node>, usize), ExpressionError> {
        let (mut nodes, mut depth) = (Vec::new(), 0);
        while !self.takes(end)? {
            let part = self.expression()?;
            nodes.push(part.node);
            depth = depth.max(part.depth);
            if !self.takes(",")? {
                self.expect(end)?;
                break;
            }
        }
        Ok((nodes, depth))
    }

    /// The function `name`, behind whose open bracket this is.
    fn global(&mut self, name: &str, at: usize) -> Result<Part, ExpressionError> {
        if name == "has" {
            let of = self.expression()?;
            self.expect(")")?;
            return match of.node {
                Node::Member(object, member) => {
                    self.part(at, of.depth - 1, Node::Has(object, member))
                }
                _ => self.error(of.at, "has() asks for a member, as in has(data.delay)"),
            };
        }
        let Some(function) = Function::global(name) else {
            let known = Function::globals();
            let reason = format!("there is no function `{name}`; there are has, {known}");
            return self.error(at, reason);
        };
        let (arguments, depth) = self.parts(")")?;
        self.call(at, name, function, arguments, depth)
    }

    /// The function `name` of `of`, behind whose open bracket this is.
    fn method(&mut self, of: Part, name: &str, at: usize) -> Result<Part, ExpressionError> {
        if let Some(quantifier) = Quantifier::named(name) {
            return self.each(of, quantifier);
        }
        let Some(function) = Function::method(name) else {
            let reason = match name {
                "matches" => {
                    "there are no regular expressions here: contains, startsWith and endsWith say much of what they would"
                }
                "map" | "filter" => {
                    "lists are not made into others here; exists, exists_one and all ask about their elements"
                }
                _ => {
                    let known = Function::methods();
                    let reason = format!(
                        "there is no function `{name}`; values have {known}, and lists have all, exists and exists_one"
                    );
                    return self.error(at, reason);
                }
            };
            return self.error(at, reason);
        };
        let (arguments, depth) = self.parts(")")?;
        let depth = depth.max(of.depth);
        let arguments = std::iter::once(of.node).chain(arguments).collect();
        self.call(at, name, function, arguments, depth)
    }

    fn call(
        &self,
        at: usize,
        name: &str,
        function: Function,
        arguments: Vec<Node>,
        depth: usize,
    ) -> Result<Part, ExpressionError> {
        if arguments.len() != function.arguments() {
            return self.error(at, format!("`{name}` has another number of arguments"));
        }
        self.part(at, depth, Node::Call(function, arguments))
    }

    /// What is asked of each of `of`, behind the open bracket.
    fn each(&mut self, of: Part, quantifier: Quantifier) -> Result<Part, ExpressionError> {
        let (name, at) = self.name("the name of what is asked about")?;
        if matches!(name.as_str(), "true" | "false" | "null" | "in") {
            return self.error(at, format!("`{name}` cannot be a name"));
        }
        self.expect(",")?;
        self.bound.push(name);
        let asked = self.expression();
        self.bound.pop();
        let asked = asked?;
        self.expect(")")?;
        let depth = of.depth.max(asked.depth);
        let parts = [of.node, asked.node];
        self.part(of.at, depth, Node::Each(quantifier, parts.into()))
    }
}

fn too_deep() -> String {
    format!("an expression is nested at most {DEPTH_MAX} deep, this goes deeper")
}
