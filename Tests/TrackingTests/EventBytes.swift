import LinuxKernel

/// Writes inotify records as the kernel does: 16 bytes, then the name padded with NULs to a multiple of 16
/// (fs/notify/inotify/inotify_user.c: round_event_name_len).
struct EventBytes {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ watch: CInt, _ mask: InotifyMask, _ name: [UInt8] = [], cookie: UInt32 = 0) {
        let length = name.isEmpty ? 0 : (name.count / 16 + 1) * 16
        withUnsafeBytes(of: watch) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: mask.rawValue) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: cookie) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(length)) { bytes.append(contentsOf: $0) }
        bytes += name + [UInt8](repeating: 0, count: length - name.count)
    }

    mutating func add(_ watch: CInt, _ mask: InotifyMask, _ name: String, cookie: UInt32 = 0) {
        add(watch, mask, Array(name.utf8), cookie: cookie)
    }
}
