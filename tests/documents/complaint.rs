//! What there is to say about an exchange that disagrees with the documents.

use std::fmt;

/// One disagreement between an exchange and the documents.
#[derive(Debug, Clone)]
pub struct Complaint {
    /// The operation's name in the document; empty if none was found.
    pub operation: String,
    /// The request's method and path.
    pub request: String,
    /// Which part of the exchange it is about.
    pub place: Place,
    /// Where in that part: a JSON pointer, or a parameter's or header's name.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// A part of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The method and the path as a whole.
    Route,
    /// A parameter in the path, the query or the request's headers.
    Parameter,
    /// The request's body.
    Request,
    /// The answer's status.
    Status,
    /// One of the answer's headers.
    Header,
    /// The body of an answer with this status.
    Answer(u16),
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Route => "route",
            Place::Parameter => "parameter",
            Place::Request => "request",
            Place::Status => "status",
            Place::Header => "answer's header",
            Place::Answer(_) => "answer",
        };
        write!(f, "{} [{}] {place} {}: {}", self.request, self.operation, self.pointer, self.message)
    }
}

/// The complaints about one exchange, as they come up.
pub struct Report {
    /// The operation's name, as soon as it is known.
    pub operation: String,
    /// The request's method and path.
    pub request: String,
    /// All of them.
    pub complaints: Vec<Complaint>,
}

impl Report {
    /// Adds one.
    pub fn add(&mut self, place: Place, pointer: &str, message: impl Into<String>) {
        self.complaints.push(Complaint {
            operation: self.operation.clone(),
            request: self.request.clone(),
            place,
            pointer: pointer.to_owned(),
            message: message.into(),
        });
    }
}
