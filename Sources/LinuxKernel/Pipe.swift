import Glibc
public import SystemPackage

/// A pipe (pipe(7)), both ends closed on exec.
@frozen
public struct Pipe: ~Copyable, Sendable {
    /// At its end once every writer is closed: hand `writer` to a child, then close the own one.
    public let reader: OwnedDescriptor
    public let writer: OwnedDescriptor

    /// - Throws: the errno of pipe2(2): `EMFILE`, `ENFILE`.
    public init() throws(Errno) {
        var ends: [CInt] = [-1, -1]
        try systemCall { pipe2(&ends, O_CLOEXEC) }
        reader = OwnedDescriptor(owning: ends[0])
        writer = OwnedDescriptor(owning: ends[1])
    }
}
