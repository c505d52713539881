//! Discord's rate limits: who waits for whom, and for how long.
//!
//! A lane is a bucket and a major id (channel, server or webhook); in it, requests go one after another, in the
//! order in which they came. Other lanes go on. All lanes together pass a gate of 50 requests a second.
//! Source: Discord, Rate Limits.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Queue, OwnedMutexGuard};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long an invalid request counts. Source: Discord, Rate Limits, “Invalid Request Limit”.
const INVALID_WINDOW: Duration = Duration::from_secs(600);
/// Up to this many lanes are kept without looking for idle ones.
const FEW: usize = 64;

/// Which limits a request is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    /// The bot's own requests: their lane and the global gate.
    Bot,
    /// An interaction's answers after the first: their lane alone.
    Webhook,
    /// The first answer to an interaction: none, it has three seconds.
    Callback,
}

/// A route and the id that its limit belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Road {
    /// Method and path without ids.
    pub route: &'static str,
    /// The channel, the server, or a hash of the webhook's token.
    pub major: u64,
}

/// What an answer's headers say about its bucket.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Told {
    pub bucket: Option<String>,
    pub remaining: Option<u32>,
    pub reset_after: Option<Duration>,
}

/// The right to send one request; the next in the lane waits until it is dropped.
pub(super) struct Turn {
    _lane: Option<OwnedMutexGuard<()>>,
}

/// All lanes of one bot.
pub(super) struct Lanes {
    state: Mutex<State>,
    /// The last sends that passed the gate. The queue is held while waiting: that is what keeps the order.
    gate: Queue<VecDeque<Instant>>,
    per_second: usize,
    invalid_at_most: usize,
}

#[derive(Default)]
struct State {
    buckets: HashMap<&'static str, String>,
    lanes: HashMap<Key, Lane>,
    sweep_at: usize,
    global_until: Option<Instant>,
    invalid: VecDeque<Instant>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    bucket: String,
    major: u64,
}

#[derive(Default)]
struct Lane {
    queue: Arc<Queue<()>>,
    closed_until: Option<Instant>,
}

impl Lanes {
    pub fn new(per_second: usize, invalid_at_most: usize) -> Self {
        Self { state: Mutex::default(), gate: Queue::default(), per_second, invalid_at_most }
    }

    /// Waits until a request may be sent, at most until `deadline`.
    ///
    /// # Errors
    ///
    /// The time at which to come back, where that is later than the deadline.
    pub async fn enter(&self, via: Via, road: Road, deadline: Instant) -> Result<Turn, Instant> {
        if let Some(until) = self.too_many_invalid() {
            return Err(until);
        }
        if via == Via::Callback {
            return Ok(Turn { _lane: None });
        }
        let turn = loop {
            let (key, queue) = self.state().lane(road);
            let Ok(turn) = timeout_at(deadline, queue.lock_owned()).await else {
                return Err(self.state().closed_until(&key).unwrap_or(deadline));
            };
            // While it waited, an answer may have said which bucket the route really belongs to.
            if self.state().key(road) != key {
                continue;
            }
            let closed_until = self.state().closed_until(&key);
            match closed_until {
                None => break turn,
                Some(until) if until > deadline => return Err(until),
                Some(until) => sleep_until(until).await,
            }
            break turn;
        };
        if via == Via::Bot {
            self.pass_gate(deadline).await?;
        }
        Ok(Turn { _lane: Some(turn) })
    }

    /// Notes what an answer said about its bucket.
    pub fn told(&self, road: Road, told: Told) {
        let mut state = self.state();
        if let Some(bucket) = told.bucket {
            state.buckets.insert(road.route, bucket);
        }
        if let (Some(0), Some(wait)) = (told.remaining, told.reset_after) {
            state.close(road, Instant::now() + wait);
        }
    }

    /// Closes a lane, or all of them, for a time.
    pub fn closed(&self, road: Road, wait: Duration, global: bool) -> Instant {
        let until = Instant::now() + wait;
        let mut state = self.state();
        if global {
            state.global_until = state.global_until.max(Some(until));
        } else {
            state.close(road, until);
        }
        until
    }

    /// Counts a request that Discord calls invalid: too many of them, and it bans the address.
    pub fn count_invalid(&self) {
        self.state().invalid.push_back(Instant::now());
    }

    fn too_many_invalid(&self) -> Option<Instant> {
        let mut state = self.state();
        let now = Instant::now();
        while state.invalid.front().is_some_and(|at| now.duration_since(*at) > INVALID_WINDOW) {
            state.invalid.pop_front();
        }
        let over = state.invalid.len().checked_sub(self.invalid_at_most)?;
        state.invalid.get(over).map(|at| *at + INVALID_WINDOW)
    }

    async fn pass_gate(&self, deadline: Instant) -> Result<(), Instant> {
        let Ok(mut recent) = timeout_at(deadline, self.gate.lock()).await else {
            return Err(self.state().global_until.unwrap_or(deadline).max(deadline));
        };
        loop {
            let full = recent.len() >= self.per_second;
            let room = recent.front().filter(|_| full).map(|first| *first + Duration::from_secs(1));
            let opens = self.state().global_until.max(room);
            match opens.filter(|until| *until > Instant::now()) {
                None => break,
                Some(until) if until > deadline => return Err(until),
                Some(until) => sleep_until(until).await,
            }
        }
        recent.push_back(Instant::now());
        if recent.len() > self.per_second {
            recent.pop_front();
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under this lock, and the numbers in it are good after any of its lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn key(&self, road: Road) -> Key {
        let bucket = self.buckets.get(road.route).map_or(road.route, String::as_str).to_owned();
        Key { bucket, major: road.major }
    }

    fn lane(&mut self, road: Road) -> (Key, Arc<Queue<()>>) {
        if self.lanes.len() >= self.sweep_at.max(FEW) {
            let now = Instant::now();
            self.lanes.retain(|_, lane| {
                Arc::strong_count(&lane.queue) > 1 || lane.closed_until.is_some_and(|until| until > now)
            });
            self.sweep_at = 2 * self.lanes.len();
        }
        let key = self.key(road);
        let queue = Arc::clone(&self.lanes.entry(key.clone()).or_default().queue);
        (key, queue)
    }

    fn closed_until(&self, key: &Key) -> Option<Instant> {
        self.lanes.get(key)?.closed_until.filter(|until| *until > Instant::now())
    }

    fn close(&mut self, road: Road, until: Instant) {
        let lane = self.lanes.entry(self.key(road)).or_default();
        lane.closed_until = lane.closed_until.max(Some(until));
    }
}

/// A random part of `most`, so that those who were told to come back do not come back together.
pub(super) fn jitter(most: Duration) -> Duration {
    // The standard library's hasher starts from a random key: as good a die as a jitter needs.
    let die = RandomState::new().hash_one(0_u8) % 1_000;
    most.mul_f64(die as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn road(major: u64) -> Road {
        Road { route: "GET /channels/{}", major }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(300)
    }

    #[tokio::test]
    async fn a_used_up_lane_waits_and_the_others_go_on() {
        let lanes = Lanes::new(50, 5_000);
        let told = Told {
            remaining: Some(0),
            reset_after: Some(Duration::from_millis(80)),
            bucket: Some("b".to_owned()),
        };
        lanes.told(road(1), told);

        let start = Instant::now();
        drop(lanes.enter(Via::Bot, road(2), soon()).await);
        assert!(start.elapsed() < Duration::from_millis(50), "another channel");
        drop(lanes.enter(Via::Callback, road(1), soon()).await);
        assert!(start.elapsed() < Duration::from_millis(50), "a first answer");
        drop(lanes.enter(Via::Bot, road(1), soon()).await);
        assert!(start.elapsed() >= Duration::from_millis(80), "the channel itself");
    }

    #[tokio::test]
    async fn what_opens_after_the_deadline_is_answered_at_once() {
        let lanes = Lanes::new(50, 5_000);
        let until = lanes.closed(road(1), Duration::from_secs(900), false);
        assert_eq!(lanes.enter(Via::Bot, road(1), soon()).await.err(), Some(until));
        lanes.closed(road(1), Duration::from_secs(60), true);
        assert!(lanes.enter(Via::Bot, road(2), soon()).await.is_err(), "all of the bot's lanes");
        assert!(lanes.enter(Via::Webhook, road(3), soon()).await.is_ok(), "but not those of webhooks");
    }

    #[tokio::test]
    async fn one_lane_keeps_the_order_in_which_requests_came() {
        let lanes = Arc::new(Lanes::new(50, 5_000));
        let first = lanes.enter(Via::Bot, road(1), soon()).await.ok();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..5 {
            let (lanes, order) = (Arc::clone(&lanes), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let _turn = lanes.enter(Via::Bot, road(1), soon()).await.ok();
                order.lock().unwrap().push(number);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn the_gate_lets_so_many_through_in_a_second() {
        let lanes = Lanes::new(5, 5_000);
        let start = Instant::now();
        let late = start + Duration::from_secs(5);
        for major in 0..6 {
            drop(lanes.enter(Via::Bot, road(major), late).await);
        }
        assert!(start.elapsed() >= Duration::from_secs(1));
    }

    #[tokio::test]
    async fn idle_lanes_are_dropped() {
        let lanes = Lanes::new(50, 5_000);
        for major in 0..10_000 {
            drop(lanes.enter(Via::Webhook, road(major), soon()).await);
        }
        assert!(lanes.state().lanes.len() <= 2 * FEW, "{}", lanes.state().lanes.len());
    }

    #[tokio::test]
    async fn sending_stops_well_before_discord_bans_the_address() {
        let lanes = Lanes::new(50, 3);
        for _ in 0..3 {
            assert!(lanes.enter(Via::Callback, road(1), soon()).await.is_ok());
            lanes.count_invalid();
        }
        let until = lanes.enter(Via::Callback, road(1), soon()).await.err();
        assert!(until.is_some_and(|until| until > Instant::now() + Duration::from_secs(500)));
    }
}
