import CLinux
import Glibc

/// An IPv4 or IPv6 address.
public struct NetworkAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in network order.
    public let bytes: [UInt8]

    /// From its numeric text (inet_pton(3)), without brackets; a zone (`%eth0`) is cut off. nil for anything else, also
    /// for a name.
    public init?(text: some Sequence<UInt8>) {
        let text = String(decoding: text.prefix { $0 != UInt8(ascii: "%") }, as: UTF8.self)
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { [UInt8]($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: six) { [UInt8]($0) }
        } else {
            return nil
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// The addresses of this host's interfaces (getifaddrs(3)); empty when they cannot be found out.
    public static var ofThisHost: Set<NetworkAddress> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var addresses: Set<NetworkAddress> = []
        var next = list
        while let interface = next {
            next = interface.pointee.ifa_next
            guard let address = interface.pointee.ifa_addr else { continue }
            let raw = UnsafeRawPointer(address)
            switch CInt(address.pointee.sa_family) {
            case AF_INET:
                let four = raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_addr
                addresses.insert(NetworkAddress(bytes: withUnsafeBytes(of: four) { [UInt8]($0) }))
            case AF_INET6:
                let six = raw.assumingMemoryBound(to: sockaddr_in6.self).pointee.sin6_addr
                addresses.insert(NetworkAddress(bytes: withUnsafeBytes(of: six) { [UInt8]($0) }))
            default: continue
            }
        }
        return addresses
    }
}
