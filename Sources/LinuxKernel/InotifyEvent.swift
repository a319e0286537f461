/// One record of an inotify read: `struct inotify_event` of inotify(7), whose name stays in the buffer.
public struct InotifyEvent: Equatable, Sendable {
    public let watch: WatchDescriptor
    public let mask: InotifyMask
    /// Joins the two halves of a rename; 0 for other events.
    public let cookie: UInt32
    /// Where the name in the watched directory stands in the buffer, without its NUL padding; empty for an event
    /// on the directory itself.
    public let name: Range<Int>

    /// The record at `offset`, and where the next one starts; nil where no whole record is left.
    ///
    /// Checked against the buffer's bounds, whatever the bytes say.
    @inlinable
    public static func read(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> (event: InotifyEvent, next: Int)? {
        guard offset >= 0, offset <= bytes.count - 16 else { return nil }
        let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
        let start = offset + 16
        guard length <= bytes.count - start else { return nil }
        var end = start + length
        while end > start && bytes[end - 1] == 0 { end -= 1 }
        let event = InotifyEvent(
            watch: WatchDescriptor(rawValue: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)),
            mask: InotifyMask(rawValue: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)),
            cookie: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self),
            name: start..<end)
        return (event, start + length)
    }

    @inlinable
    public init(watch: WatchDescriptor, mask: InotifyMask, cookie: UInt32, name: Range<Int>) {
        self.watch = watch
        self.mask = mask
        self.cookie = cookie
        self.name = name
    }
}
