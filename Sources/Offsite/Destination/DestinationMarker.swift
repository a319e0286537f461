/// The file `.nfs-changes/marker` at a destination: whose copy it is. Where it is missing nothing is written, for then
/// the volume that holds the copy is not mounted.
public struct DestinationMarker: Equatable, Sendable {
    /// The destination's name in the configuration of the host that writes it.
    public var destination: String
    /// /etc/machine-id of that host (machine-id(5)).
    public var machine: String
    /// The UUID of the store whose history was carried; empty: nothing was yet.
    public var store: String
    /// Up to which row.
    public var cursor: Int64

    public static let directory = ".nfs-changes"
    public static let name = "marker"

    public init(destination: String, machine: String, store: String = "", cursor: Int64 = 0) {
        self.destination = destination
        self.machine = machine
        self.store = store
        self.cursor = cursor
    }

    /// Whether this one may take the place of another: that of the same host, and of the same store or none.
    public func mayReplace(_ old: DestinationMarker) -> Bool {
        machine == old.machine && ["", store].contains(old.store)
    }

    private static let firstLine = "nfs-changes destination 1"

    public var text: [UInt8] {
        Array(
            """
            \(Self.firstLine)
            destination \(destination)
            machine \(machine)
            store \(store.isEmpty ? "-" : store)
            cursor \(cursor)

            """.utf8)
    }

    /// - Returns: nil for what is no marker of a version that is known. Nothing else in it is trusted.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count < 4_096 else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.first == Self.firstLine[...] else { return nil }
        var values: [Substring: String] = [:]
        for line in lines.dropFirst() {
            guard let space = line.firstIndex(of: " ") else { continue }
            values[line[..<space]] = String(line[line.index(after: space)...])
        }
        guard let destination = values["destination"], let machine = values["machine"], let store = values["store"],
            let cursor = values["cursor"].flatMap({ Int64($0) }), cursor >= 0
        else { return nil }
        self.init(
            destination: destination, machine: machine, store: store == "-" ? "" : store, cursor: cursor)
    }
}
