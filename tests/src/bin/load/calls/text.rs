//! What the two ends of a call read of a message: its first line and header fields by name.

/// A received message.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    head: &'a str,
    /// What follows the empty line.
    pub body: &'a str,
}

impl<'a> Text<'a> {
    /// Splits header and body.
    ///
    /// # Errors
    /// It is no text, has no end of the header, or its Content-Length is not that of its body.
    pub fn new(bytes: &'a [u8]) -> Result<Text<'a>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "a message that is no text")?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no end of the header")?;
        let text = Text { head, body };
        match text.value("Content-Length").map(str::parse) {
            Some(Ok(length)) if body.len() == length => Ok(text),
            _ => Err(text.wrong("not the Content-Length of the body")),
        }
    }

    /// The first line.
    pub fn first_line(&self) -> &'a str {
        self.head.lines().next().unwrap_or_default()
    }

    /// Values of the header fields called `name`, in order.
    pub fn values(&self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a str> {
        self.head.lines().filter_map(move |line| {
            line.strip_prefix(name)?
                .strip_prefix(':')
                .map(str::trim_start)
        })
    }

    /// The value of the first of them.
    pub fn value(&self, name: &'static str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// The number of the call: what Call-ID begins with.
    pub fn call(&self) -> Option<u64> {
        self.value("Call-ID")?.split('@').next()?.parse().ok()
    }

    /// A complaint about this message.
    pub fn wrong(&self, what: &str) -> String {
        format!("{what} in\n{}\n\n{}", self.head, self.body)
    }

    /// A complaint unless `right`.
    pub fn check(&self, right: bool, what: &str) -> Result<(), String> {
        if right { Ok(()) } else { Err(self.wrong(what)) }
    }
}
