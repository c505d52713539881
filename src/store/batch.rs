//! Statements for many rows at once: a page of the log is a few statements, not a few thousand.
//!
//! **Invariant:** the only place that puts SQL together. What it adds to the text it is given is placeholders; every
//! value is bound.

use futures_util::TryStreamExt;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AssertSqlSafe, Error};

/// A statement whose values are bound one after the other.
pub(super) type Bound<'q> = Query<'q, Any, AnyArguments>;

/// The most rows or keys in one statement; with 22 columns still far below SQLite's 32,766 values.
const WIDEST: usize = 256;

/// Cuts a list into pieces whose lengths are powers of two, so that there are only a few different statements, and
/// the prepared ones are used again.
fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let mut size = WIDEST;
        while size > rest.len() {
            size /= 2;
        }
        let (piece, after) = rest.split_at(size);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Inserts rows: `insert` up to and without `VALUES`, then what to do on a conflict, or nothing. Says how many rows
/// were written.
pub(super) async fn insert<T>(
    conn: &mut AnyConnection,
    insert: &str,
    columns: usize,
    conflict: &str,
    rows: &[T],
    bind: impl for<'q> Fn(Bound<'q>, &T) -> Bound<'q>,
) -> Result<u64, Error> {
    let mut written = 0;
    for piece in pieces(rows) {
        let row = |row: usize| format!("({})", places(row * columns + 1, columns));
        let values: Vec<_> = (0..piece.len()).map(row).collect();
        let text = format!("{insert} VALUES {} {conflict}", values.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(text));
        for row in piece {
            query = bind(query, row);
        }
        written += query.execute(&mut *conn).await?.rows_affected();
    }
    Ok(written)
}

/// A value that rows are selected by.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// TEXT.
    Text(&'a str),
    /// BIGINT.
    Number(i64),
}

/// Selects by many keys: `select` has the values of `fixed` as its `$1`, `$2`, … and ends where the list of keys
/// begins (`… IN`); `after` follows the list. Each row is turned into what is kept of it as it comes, because a row
/// takes kilobytes.
pub(super) async fn select<T>(
    conn: &mut AnyConnection,
    select: &str,
    after: &str,
    fixed: &[Value<'_>],
    keys: &[Value<'_>],
    keep: impl Fn(&AnyRow) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut kept = Vec::new();
    for piece in pieces(keys) {
        let text = format!("{select} ({}) {after}", places(fixed.len() + 1, piece.len()));
        let mut query = sqlx::query(AssertSqlSafe(text));
        for value in fixed.iter().chain(piece) {
            query = match *value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        let mut rows = query.fetch(&mut *conn);
        while let Some(row) = rows.try_next().await? {
            kept.push(keep(&row)?);
        }
    }
    Ok(kept)
}

/// `count` placeholders from `$first` on.
fn places(first: usize, count: usize) -> String {
    let places: Vec<_> = (first..first + count).map(|place| format!("${place}")).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_into_powers_of_two() {
        for (length, expected) in [
            (0, vec![]),
            (1, vec![1]),
            (7, vec![4, 2, 1]),
            (256, vec![256]),
            (1000, vec![256, 256, 256, 128, 64, 32, 8]),
        ] {
            let list = vec![(); length];
            let lengths: Vec<_> = pieces(&list).map(<[()]>::len).collect();
            assert_eq!(lengths, expected, "{length}");
        }
    }

    #[test]
    fn placeholders_go_on_where_the_ones_before_ended() {
        assert_eq!(places(3, 3), "$3, $4, $5");
        assert_eq!(places(1, 0), "");
    }
}
