//! The tree of an expression.

/// Deepest nesting of a tree: walks of it recurse.
pub(super) const DEPTH_MAX: usize = 32;

/// A part of an expression.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Box<str>),
    List(Vec<Node>),
    Variable(Variable),
    /// What a quantifier has bound, counted from the outermost.
    Bound(usize),
    Member(Box<Node>, Box<str>),
    Has(Box<Node>, Box<str>),
    Index(Box<[Node; 2]>),
    Not(Box<Node>),
    Negate(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
    Choice(Box<[Node; 3]>),
    Relation(Relation, Box<[Node; 2]>),
    Arithmetic(Operator, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
    /// What is gone through, and what is asked of each.
    Each(Quantifier, Box<[Node; 2]>),
}

/// What of an event an expression can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Data,
    Type,
    Subject,
    Feed,
    Id,
    Source,
    Time,
    RecordedAt,
    Position,
    Labels,
    Extensions,
    Ids,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Int,
    Double,
    String,
    Timestamp,
    Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
    ExistsOne,
}

impl Variable {
    const NAMES: [(&'static str, Self); 12] = [
        ("data", Self::Data),
        ("type", Self::Type),
        ("subject", Self::Subject),
        ("feed", Self::Feed),
        ("id", Self::Id),
        ("source", Self::Source),
        ("time", Self::Time),
        ("recorded_at", Self::RecordedAt),
        ("position", Self::Position),
        ("labels", Self::Labels),
        ("extensions", Self::Extensions),
        ("ids", Self::Ids),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        find(&Self::NAMES, name)
    }

    pub(super) fn names() -> String {
        names(&Self::NAMES)
    }
}

impl Function {
    /// Those that are called on a value, as `subject.contains("a")`.
    const METHODS: [(&'static str, Self); 6] = [
        ("size", Self::Size),
        ("contains", Self::Contains),
        ("startsWith", Self::StartsWith),
        ("endsWith", Self::EndsWith),
        ("lowerAscii", Self::LowerAscii),
        ("upperAscii", Self::UpperAscii),
    ];
    /// Those that are called by themselves, as `size(data)`.
    const GLOBAL: [(&'static str, Self); 6] = [
        ("size", Self::Size),
        ("int", Self::Int),
        ("double", Self::Double),
        ("string", Self::String),
        ("timestamp", Self::Timestamp),
        ("duration", Self::Duration),
    ];

    pub(super) fn method(name: &str) -> Option<Self> {
        find(&Self::METHODS, name)
    }

    pub(super) fn global(name: &str) -> Option<Self> {
        find(&Self::GLOBAL, name)
    }

    pub(super) fn methods() -> String {
        names(&Self::METHODS)
    }

    pub(super) fn globals() -> String {
        names(&Self::GLOBAL)
    }

    /// How many arguments it has, the value that it is called on being the first.
    pub(super) fn arguments(self) -> usize {
        match self {
            Self::Contains | Self::StartsWith | Self::EndsWith => 2,
            Self::Size
            | Self::LowerAscii
            | Self::UpperAscii
            | Self::Int
            | Self::Double
            | Self::String
            | Self::Timestamp
            | Self::Duration => 1,
        }
    }

    fn is_condition(self) -> bool {
        self.arguments() == 2
    }
}

impl Quantifier {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "exists" => Some(Self::Exists),
            "exists_one" | "existsOne" => Some(Self::ExistsOne),
            _ => None,
        }
    }
}

impl Node {
    /// Whether it can be true of an event at all.
    pub(super) fn is_condition(&self) -> bool {
        match self {
            Self::Null
            | Self::Int(_)
            | Self::Double(_)
            | Self::Text(_)
            | Self::List(_)
            | Self::Negate(_)
            | Self::Arithmetic(..) => false,
            Self::Variable(variable) => *variable == Variable::Data,
            Self::Call(function, _) => function.is_condition(),
            Self::Choice(parts) => parts[1].is_condition() || parts[2].is_condition(),
            Self::Bool(_)
            | Self::Bound(_)
            | Self::Member(..)
            | Self::Has(..)
            | Self::Index(_)
            | Self::Not(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Relation(..)
            | Self::Each(..) => true,
        }
    }

    /// Whether `variable` is in it.
    pub(super) fn names_variable(&self, variable: Variable) -> bool {
        let any = |nodes: &[Node]| nodes.iter().any(|node| node.names_variable(variable));
        match self {
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Double(_)
            | Self::Text(_)
            | Self::Bound(_) => false,
            Self::Variable(named) => *named == variable,
            Self::Member(of, _) | Self::Has(of, _) | Self::Not(of) | Self::Negate(of) => {
                of.names_variable(variable)
            }
            Self::List(parts) | Self::All(parts) | Self::Any(parts) | Self::Call(_, parts) => {
                any(parts)
            }
            Self::Index(parts)
            | Self::Relation(_, parts)
            | Self::Arithmetic(_, parts)
            | Self::Each(_, parts) => any(&parts[..]),
            Self::Choice(parts) => any(&parts[..]),
        }
    }
}

fn find<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let found = table.iter().find(|(known, _)| *known == name);
    found.map(|(_, found)| *found)
}

fn names<T>(table: &[(&str, T)]) -> String {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}
