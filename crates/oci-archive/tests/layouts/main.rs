//! Layouts that no tool in the corpus wrote: random ones, odd ones, and hostile ones.

mod images;
mod models;
mod refusals;
mod support;
