//! A fixed number of threads that encode blocks.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::block::Encoders;

type Job = Box<dyn FnOnce(&mut Encoders) + Send>;

/// The threads. They end when the pool is dropped.
#[derive(Debug)]
pub(super) struct Pool {
    jobs: Sender<Job>,
}

impl Pool {
    pub(super) fn new(threads: usize) -> Self {
        let (sender, receiver) = channel::<Job>();
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..threads {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || work(&receiver));
        }
        Self { jobs: sender }
    }

    /// Has a job done by the next thread that is free.
    pub(super) fn run(&self, job: Job) {
        // The receiver lives as long as a thread does, and those end only after this is dropped.
        let _ = self.jobs.send(job);
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    let mut encoders = Encoders::default();
    loop {
        // The lock is held while waiting, so that one thread waits and the others queue for the lock.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(&mut encoders),
            Err(_) => return,
        }
    }
}
