import ChangeStore
import LinuxKernel

/// A history that can be read in order: the store, or a list in tests.
protocol ChangeSource {
    /// A sequence number that every row of `moment` or later has at least. Rows from there on may still be
    /// earlier than `moment`, where the clock was set back.
    func firstSequence(notBefore moment: Timestamp) throws -> Int64

    /// Hands out the rows with a sequence number greater than `sequence`, in ascending order, until `body`
    /// returns false.
    func forEachChange(after sequence: Int64, _ body: (ChangeRecord) throws -> Bool) throws

    /// The greatest sequence number given so far.
    var lastSequence: Int64 { get throws }
}
