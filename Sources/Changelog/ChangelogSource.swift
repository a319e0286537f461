/// What a row of the history wants of the log.
public enum ChangelogDemand: Sendable {
    /// A line of its own: the path came to be or went, and other paths' lines come before or after it.
    case line
    /// A line that is not older than the row: the path is there and was changed once more.
    case mention
}

/// Where the lines come from: the history of the store, in its order. Made and used on the changelog's own thread.
public protocol ChangelogSource {
    /// Hands out the paths of the rows after `sequence`, in order, until there are no more, `limit` rows were read,
    /// or `body` returned false (that path was taken).
    ///
    /// Rows that make no line (`baseline`, `untracked`) are passed over but count as read. `body` only copies to
    /// memory, so a read transaction around it is short.
    ///
    /// - Parameter body: gets the row's sequence number, what it wants of the log and its absolute path, unescaped; the
    ///   bytes live only during the call.
    /// - Returns: the sequence number of the last row read, with or without a line; nil when no row comes after
    ///   `sequence`.
    mutating func lines(
        after sequence: Int64, limit: Int, _ body: (Int64, ChangelogDemand, UnsafeRawBufferPointer) -> Bool
    ) throws -> Int64?

    /// How many rows come after `sequence`; a million stands for more.
    mutating func count(after sequence: Int64) throws -> Int64
}
