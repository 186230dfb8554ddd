//! SIP as the peers of the tests read it: on purpose not by the reader under test.

/// One message.
#[derive(Clone, Debug)]
pub struct Sip {
    pub start: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Sip {
    pub fn read(bytes: &[u8]) -> Sip {
        let text = String::from_utf8(bytes.to_vec()).expect("what we send is UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a blank line ends the head");
        let mut lines = head.split("\r\n");
        let start = lines.next().expect("a start line").to_owned();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line}"));
            (name.trim().to_ascii_lowercase(), value.trim().to_owned())
        });
        let sip = Sip { start, headers: headers.collect(), body: body.to_owned() };
        let length: usize = sip.header("content-length").parse().expect("a length");
        assert_eq!(length, sip.body.len(), "Content-Length tells the truth");
        sip
    }

    /// The first value, empty without one.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The method, of a request.
    pub fn method(&self) -> Option<&str> {
        (!self.start.starts_with("SIP/2.0")).then(|| self.start.split(' ').next().unwrap_or(""))
    }

    /// The status, of a response.
    pub fn code(&self) -> Option<u16> {
        self.start.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The Request-URI.
    pub fn uri(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or("")
    }

    pub fn call_id(&self) -> &str {
        self.header("call-id")
    }

    /// Method of the CSeq.
    pub fn about(&self) -> &str {
        self.header("cseq").split(' ').nth(1).unwrap_or("")
    }

    /// The URI of the Contact.
    pub fn contact(&self) -> String {
        let value = self.header("contact");
        let inner = value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(uri, _)| uri);
        inner.unwrap_or(value).to_owned()
    }

    /// A response to this request, with the To tag given.
    pub fn response(&self, status: &str, tag: &str, extra: &str, body: &str) -> String {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for via in self.all("via") {
            text.push_str(&format!("Via: {via}\r\n"));
        }
        let to = self.header("to");
        let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
        let (from, id, cseq) = (self.header("from"), self.call_id(), self.header("cseq"));
        text.push_str(&format!("From: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\n{extra}"));
        if !body.is_empty() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        text
    }
}

/// A description of plain audio at a port.
pub fn sdp(port: u16, payload_types: &str, direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP {payload_types}\r\na={direction}\r\n"
    )
}
