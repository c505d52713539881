//! The filter language of Okta's lists and of its System Log, as far as SCIM defines it (without `[ ]`).

/// What a filter is held against: the values at a path, or `None` if there is no such path.
pub(super) trait Fields {
    fn values(&self, path: &str) -> Option<Vec<&str>>;
}

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Present(String),
    Compare(String, Operator, String),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    Text(String),
}

impl Filter {
    /// Parses a filter; the error is a fragment that says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let filter = parser.any()?;
        match parser.tokens.get(parser.at) {
            None => Ok(filter),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    pub(super) fn matches(&self, fields: &impl Fields) -> bool {
        match self {
            Self::And(one, other) => one.matches(fields) && other.matches(fields),
            Self::Or(one, other) => one.matches(fields) || other.matches(fields),
            Self::Not(inner) => !inner.matches(fields),
            Self::Present(path) => fields.values(path).is_some_and(|values| !values.is_empty()),
            Self::Compare(path, operator, wanted) => {
                let values = fields.values(path).unwrap_or_default();
                match operator {
                    Operator::NotEqual => values.iter().all(|value| value != wanted),
                    _ => values.iter().any(|value| operator.holds(value, wanted)),
                }
            }
        }
    }

    /// Every path that the filter names.
    pub(super) fn paths(&self) -> Vec<&str> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => {
                let mut paths = one.paths();
                paths.extend(other.paths());
                paths
            }
            Self::Not(inner) => inner.paths(),
            Self::Present(path) | Self::Compare(path, _, _) => vec![path],
        }
    }
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "co" => Self::Contains,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    fn holds(self, value: &str, wanted: &str) -> bool {
        match self {
            Self::Equal => value == wanted,
            Self::NotEqual => value != wanted,
            Self::StartsWith => value.starts_with(wanted),
            Self::EndsWith => value.ends_with(wanted),
            Self::Contains => value.contains(wanted),
            Self::Greater => value > wanted,
            Self::GreaterOrEqual => value >= wanted,
            Self::Less => value < wanted,
            Self::LessOrEqual => value <= wanted,
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Filter, String> {
        let mut filter = self.all()?;
        while self.takes("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter, String> {
        let mut filter = self.one()?;
        while self.takes("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, String> {
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.one()?)));
        }
        match self.next() {
            Some(Token::Open) => {
                let filter = self.any()?;
                match self.next() {
                    Some(Token::Close) => Ok(filter),
                    _ => Err("a parenthesis is not closed".to_owned()),
                }
            }
            Some(Token::Word(path)) => self.comparison(path),
            other => Err(format!("expected an attribute, found {other:?}")),
        }
    }

    fn comparison(&mut self, path: String) -> Result<Filter, String> {
        if self.takes("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(Token::Word(word)) = self.next() else { return Err("an operator is missing".to_owned()) };
        let operator = Operator::parse(&word).ok_or_else(|| format!("unknown operator {word}"))?;
        match self.next() {
            Some(Token::Text(value)) => Ok(Filter::Compare(path, operator, value)),
            Some(Token::Word(value))
                if value.parse::<f64>().is_ok() || value == "true" || value == "false" =>
            {
                Ok(Filter::Compare(path, operator, value))
            }
            other => Err(format!("expected a value, found {other:?}")),
        }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let taken =
            matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(taken);
        taken
    }

    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        tokens.push(match first {
            ' ' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => {
                let mut value = String::new();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => value.extend(chars.next()),
                        Some(other) => value.push(other),
                        None => return Err("a quotation mark is not closed".to_owned()),
                    }
                }
                Token::Text(value)
            }
            _ if first.is_alphanumeric() || "._-:".contains(first) => {
                let mut word = first.to_string();
                while let Some(more) = chars.next_if(|c| c.is_alphanumeric() || "._-:".contains(*c)) {
                    word.push(more);
                }
                Token::Word(word)
            }
            other => return Err(format!("unexpected {other:?}")),
        });
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One;

    impl Fields for One {
        fn values(&self, path: &str) -> Option<Vec<&str>> {
            match path {
                "eventType" => Some(vec!["application.provision.user.push"]),
                "outcome.result" => Some(vec!["FAILURE"]),
                "target.id" => Some(vec!["0oa1", "00u1"]),
                "legacyEventType" => Some(vec![]),
                _ => None,
            }
        }
    }

    #[test]
    fn filters_are_held_against_an_event() {
        #[rustfmt::skip]
        let table = [
            (r#"eventType eq "application.provision.user.push""#,                          true),
            (r#"eventType sw "application.provision.user.""#,                              true),
            (r#"eventType sw "application.provision.user." and outcome.result eq "SUCCESS""#, false),
            (r#"eventType eq "x" or outcome.result eq "FAILURE""#,                         true),
            (r#"eventType eq "x" or eventType eq "y" and outcome.result eq "FAILURE""#,    false),
            (r#"(eventType eq "x" or eventType co "push") and target.id eq "00u1""#,       true),
            (r#"not (target.id eq "00u1")"#,                                               false),
            (r#"target.id ne "00u2""#,                                                     true),
            (r#"legacyEventType pr"#,                                                      false),
            (r#"outcome.result ew "URE""#,                                                 true),
        ];
        for (text, expected) in table {
            assert_eq!(Filter::parse(text).unwrap().matches(&One), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_filter_is_refused() {
        for text in [
            "",
            "eventType",
            "eventType eq",
            "eventType is \"x\"",
            "(eventType eq \"x\"",
            "a eq \"x",
            "a eq \"x\" b",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
