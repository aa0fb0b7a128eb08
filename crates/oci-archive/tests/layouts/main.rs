//! Layouts that no tool in the corpus wrote: random ones, odd ones, and hostile ones.

mod annotations;
mod docker;
mod filters;
mod hostile;
mod hybrid;
mod images;
mod large;
mod merging;
mod models;
mod narrowing;
mod odd;
mod positions;
mod presence;
mod referrers;
mod refusals;
mod saved;
mod saved_models;
mod support;
