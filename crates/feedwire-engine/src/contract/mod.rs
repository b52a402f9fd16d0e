//! What every engine promises, as tests that each of them runs.
//!
//! An engine's tests say `feedwire_engine::contract!(Folder::new())` with a [`Place`] of their own, and get one test for
//! each function of the modules here. The names of the functions are the promises.
#![expect(missing_docs, reason = "a name that is a sentence says it all")]

pub mod appending;
pub mod deleting;
pub mod engines;
pub mod erasing;
pub mod expecting;
mod fixture;
pub mod forgetting;
pub mod listing;
pub mod model;
pub mod primary;
pub mod reading;
pub mod repeating;
pub mod retention;
pub mod views;

use std::sync::Arc;

use async_trait::async_trait;

use crate::Engine;

/// Where the engine under test lives: empty when made, and gone when dropped.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the engine on what is there.
    async fn open(&self) -> Arc<dyn Engine>;

    /// Lets go of `engine` without closing it: as near to the death of its process as one process can have it.
    async fn crash(&self, engine: Arc<dyn Engine>);
}

/// One test for each promise, each on a [`Place`] that the expression makes.
#[macro_export]
macro_rules! contract {
    ($place:expr) => {
        $crate::contract!(@promises $place, appending:
            an_append_is_answered_with_where_its_events_are
            records_come_back_as_they_were_appended
            positions_grow_without_a_gap_within_a_batch
            recorded_at_never_goes_back
            the_time_of_the_producer_is_kept_and_defaults_to_recorded_at
            a_batch_at_its_limits_is_taken
            what_was_acknowledged_outlives_the_engine
            what_was_acknowledged_outlives_a_crash
            the_head_never_shows_what_cannot_be_read
            no_reader_is_shown_part_of_a_batch_while_writers_race
            a_closed_engine_refuses_appends
        );
        $crate::contract!(@promises $place, expecting:
            versions_count_the_batches_of_a_subject_in_a_feed
            an_expected_version_or_position_is_the_subjects_own
            a_conflict_names_where_the_subject_is
            one_failed_expectation_of_several_keeps_everything_out
            of_appends_that_expect_the_same_one_wins
            versions_of_racing_appends_neither_skip_nor_repeat
            expectations_hold_after_reopening
            expectations_hold_after_a_crash
            expectations_hold_below_retention
        );
        $crate::contract!(@promises $place, repeating:
            a_repetition_is_answered_with_where_its_events_are
            a_repetition_does_not_move_the_head
            an_id_is_one_of_its_feed_source_and_subject
            what_bears_no_mark_is_never_a_repetition
            a_batch_of_which_some_is_known_is_refused_whole
            a_key_is_of_one_batch
            an_unknown_key_leaves_ids_to_be_known
            what_is_expected_of_a_repetition_was_expected_the_first_time
            of_racing_repetitions_one_is_appended
            repetitions_are_known_after_reopening
            repetitions_are_known_after_a_crash
            a_closed_engine_refuses_what_may_be_known
            what_a_batch_forgets_is_new_to_it
            a_batch_of_which_some_was_erased_is_refused_whole
            what_was_trimmed_or_erased_is_no_longer_known
        );
        $crate::contract!(@promises $place, reading:
            every_form_of_scope_reads_what_it_names
            a_limit_of_records_ends_behind_a_whole_batch
            a_limit_of_bytes_ends_behind_a_whole_batch
            a_limit_inside_a_batch_never_cuts_it
            a_reading_can_start_inside_a_batch
            a_filtered_reading_that_finds_nothing_reaches_the_head
            a_filtered_reading_in_steps_finds_everything_once
            beyond_the_end_there_is_nothing
            an_empty_log_reads_as_empty
            seeking_finds_the_position_before_a_time
        );
        $crate::contract!(@promises $place, retention:
            without_limits_nothing_is_trimmed
            records_young_enough_are_kept
            the_newest_bytes_are_kept
            nothing_above_the_given_position_is_trimmed
            where_no_record_is_to_stay_none_does
            a_reader_before_what_is_retained_is_told
            a_feed_expires_by_its_own_trims
            trims_count_events_batches_and_subjects
            trims_outlive_the_engine_and_add_up
            what_is_left_of_a_large_log_and_what_was_trimmed_add_up
            appending_goes_on_after_everything_was_trimmed
        );
        $crate::contract!(@promises $place, erasing:
            what_was_appended_and_erased_is_counted
            erased_events_are_in_no_reading
            an_erasure_keeps_to_its_feed_subject_and_position
            what_is_erased_stays_erased
            an_erasure_leaves_positions_and_places_alone
            an_erased_subject_begins_anew
            an_erased_feed_begins_anew
            a_subject_with_a_later_event_keeps_its_version_when_it_is_erased
            what_was_trimmed_begins_anew_once_it_is_erased
            what_comes_later_is_not_erased_whatever_the_position
            what_was_on_its_way_is_erased_too
            appends_race_an_erasure_and_versions_neither_skip_nor_repeat
            erasing_again_finds_nothing
        );
        $crate::contract!(@promises $place, forgetting:
            the_last_given_position_is_the_last_readable_one_or_beyond
            a_forgotten_subject_begins_anew
            a_subject_with_a_later_event_is_not_forgotten
            a_feed_is_forgotten_with_all_its_subjects
            a_subject_is_forgotten_in_every_feed
            nothing_is_what_a_forgotten_subject_is_expected_to_have_had
            what_comes_later_is_not_forgotten_whatever_the_position
            what_was_on_its_way_is_forgotten_too
            what_was_on_its_way_is_readable_once_it_is_settled
            what_is_forgotten_and_not_erased_is_there_again_after_reopening
            a_closed_log_forgets_nothing_for_the_next
        );
        $crate::contract!(@promises $place, listing:
            subjects_are_listed_in_the_order_of_their_names
            a_list_has_the_subjects_of_one_feed
            a_list_begins_behind_a_subject_that_need_not_be_there
            a_list_says_where_a_subject_is_now
            who_is_forgotten_or_erased_is_passed_over
        );
        $crate::contract!(@promises $place, engines:
            a_project_is_there_once_it_is_created
            a_project_is_created_once
            projects_whose_names_differ_only_a_little_are_apart
            an_unknown_project_has_neither_log_nor_view
            a_log_is_shared
            an_incarnation_is_the_logs_own_and_lasts
            a_released_project_is_opened_again_with_all_it_had
            a_log_that_is_held_is_not_released
        );
        $crate::contract!(@promises $place, deleting:
            a_deleted_project_is_gone_also_after_a_crash
            what_is_made_under_the_name_of_a_deleted_project_has_nothing_of_it
            other_projects_keep_everything
            a_log_that_is_still_held_is_refused
            a_view_that_is_still_held_is_not_that_of_the_next_project
            an_unknown_project_is_not_deleted
            appends_race_a_deletion_and_are_answered
            deleting_and_creating_race_and_each_is_whole
        );
        $crate::contract!(@promises $place, primary:
            what_was_put_is_there
            a_change_is_made_only_if_its_precondition_holds
            of_changes_with_the_same_precondition_one_is_made
            revisions_grow_with_every_change
            a_scan_goes_in_pages
            spaces_are_apart
            changes_outlive_the_engine
            a_watch_tells_changes_in_order
        );
        $crate::contract!(@promises $place, views:
            a_page_of_a_view_ends_with_the_entry_that_reaches_a_bound
            a_view_holds_what_was_applied
            a_view_never_gets_ahead_of_its_log
            a_view_never_moves_back
            a_synced_view_outlives_a_crash
            a_view_that_was_not_synced_stands_where_it_once_stood
            a_reset_view_is_empty
            views_are_apart
        );
        $crate::contract!(@promises $place, model:
            random_histories_read_as_in_memory
        );
    };
    (@promises $place:expr, $module:ident: $($name:ident)*) => {
        mod $module {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let place = $place;
                    $crate::contract::$module::$name(&place).await;
                }
            )*
        }
    };
}
