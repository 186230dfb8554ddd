//! Whether the other end of a connection still lives, asked of the kernel.
//!
//! A firewall that has forgotten a connection says nothing: what is written to it is lost for a
//! quarter of an hour, and its place is taken for ever.

use std::time::Duration;
use tokio::net::TcpStream;

/// Silence after which the kernel asks.
const ASKED_AFTER: Duration = Duration::from_secs(30);

/// Between two questions.
const ASKED_EVERY: Duration = Duration::from_secs(10);

/// How long what was written may stay unacknowledged. Shorter cuts a carrier off for a brief outage of
/// the line, longer sends calls into a dead connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// From here on the kernel ends the connection when its other end is gone. Best effort: a kernel that
/// cannot leaves it to the writes that fail.
pub(super) fn watch(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = socket2::SockRef::from(stream);
    let alive =
        socket2::TcpKeepalive::new().with_time(ASKED_AFTER).with_interval(ASKED_EVERY).with_retries(3);
    let _ = socket.set_tcp_keepalive(&alive);
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_whose_other_end_is_gone_ends_within_a_minute() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        watch(&stream);
        let socket = socket2::SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), ASKED_AFTER);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
        let longest = ASKED_AFTER + ASKED_EVERY * 3;
        assert!(longest <= Duration::from_secs(60));
    }
}
