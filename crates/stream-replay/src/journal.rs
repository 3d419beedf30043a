//! What happened on the server, and a way to wait for it.

use tokio::sync::watch;

use crate::message::RecordedMessage;
use crate::request::RecordedRequest;

/// Everything that tests can look at or wait for.
#[derive(Debug, Default)]
struct Events {
    requests: Vec<RecordedRequest>,
    messages: Vec<RecordedMessage>,
    pongs: usize,
    disconnects: usize,
}

/// The shared record of a server; one write wakes everybody who waits.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    events: watch::Sender<Events>,
}

impl Journal {
    /// Records a request and returns its number, from 0.
    pub(crate) fn record(&self, request: RecordedRequest) -> usize {
        let mut index = 0;
        self.events.send_modify(|events| {
            index = events.requests.len();
            events.requests.push(request);
        });
        index
    }

    pub(crate) fn record_message(&self, message: RecordedMessage) {
        self.events.send_modify(|events| events.messages.push(message));
    }

    pub(crate) fn count_pongs(&self, more: usize) {
        self.events.send_modify(|events| events.pongs += more);
    }

    pub(crate) fn count_disconnect(&self) {
        self.events.send_modify(|events| events.disconnects += 1);
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.events.borrow().requests.clone()
    }

    pub(crate) fn messages(&self) -> Vec<RecordedMessage> {
        self.events.borrow().messages.clone()
    }

    pub(crate) async fn wait_for_requests(&self, n: usize) {
        self.wait_for(|events| events.requests.len() >= n).await;
    }

    pub(crate) async fn wait_for_messages(&self, n: usize) {
        self.wait_for(|events| events.messages.len() >= n).await;
    }

    pub(crate) async fn wait_for_pongs(&self, n: usize) {
        self.wait_for(|events| events.pongs >= n).await;
    }

    pub(crate) async fn wait_for_disconnects(&self, n: usize) {
        self.wait_for(|events| events.disconnects >= n).await;
    }

    async fn wait_for(&self, reached: impl FnMut(&Events) -> bool) {
        // Fails only when the sender is gone, and `self` is the sender.
        let _ = self.events.subscribe().wait_for(reached).await;
    }
}
