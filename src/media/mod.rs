//! The media plane: what callers and agents hear.
//!
//! Plain threads with epoll around plain values. The engine says what shall be heard by
//! [`engine::media::MediaCommand`]s, the plane says what it saw by [`engine::media::MediaEvent`]s;
//! neither ever waits for the other. Per packet there is no allocation, lock, channel or await:
//! only the system calls (a page's audio and SRTP excepted: their arithmetic allocates).
//!
//! Deliberately absent: jitter buffers in a relay of two (they leave the jitter to the ears that have
//! one; a mix of more has small ones), RTCP (its port is held, nothing is read
//! from it or relayed), transcoding beyond A-law and mu-law.

pub mod plane;

mod mailbox;

mod worker;

mod orders;

pub mod legs;

pub mod leg;

mod paging;

pub mod pages;

pub mod webrtc;

pub mod bridge;

mod mixer;

pub mod jitter;

pub mod wheel;

pub mod rtp;

mod srtp;

pub mod port;

pub mod sound;

pub mod tone;

pub mod dtmf;

pub mod g711;

pub mod sys;
