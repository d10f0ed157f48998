//! `upline reconcile` as a command.
