/// What `changes query` reads.
///
/// - Parameter directory: the state directory, absolute.
/// - Throws: `CommandFailure`: `unavailable` when there is no store.
func openChangeSource(in directory: [UInt8]) throws -> any ChangeSource {
    throw noStore(in: directory)
}

/// Compares the index with the disk.
///
/// - Parameter report: is given each difference, as one line without its end.
func verifyIndex(in directory: [UInt8], report: (_ difference: String) throws -> Void) throws {
    throw noStore(in: directory)
}

/// Releases a held root.
func acceptRoot(_ root: [UInt8], in directory: [UInt8]) throws {
    throw noStore(in: directory)
}

/// The failure for a state directory without a store: where one was looked for, and how to get one.
func noStore(in directory: [UInt8]) -> CommandFailure {
    let name = OctalEscapes.forTerminal(directory)
    return CommandFailure(
        .unavailable,
        """
        no store in \(name)
        the tracker makes it: start nfs-change-tracker.service (systemctl start nfs-change-tracker), or run \
        `changes track --state \(name)`; a store somewhere else is named with --state
        """)
}
