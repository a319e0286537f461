import LinuxKernel
import SystemPackage

/// The way of rsync's remote shell out of a sandbox: one packet with the arguments and the three standard streams goes
/// out, with a descriptor that tells the relay's end; one with the exit status (a byte) comes back. The connection closed means that the other side is gone.
enum SenderBridge {
    /// Bytes of all arguments, each with a NUL after it. rsync's own are a few hundred; names do not travel in them.
    static let longestMessage = 65_536
    /// What ssh ends with when the connection failed, and what is said when the bridge did.
    static let failure: CInt = 255

    static func message(_ arguments: [[UInt8]]) -> [UInt8] { arguments.flatMap { $0 + [0] } }

    /// - Returns: nil for what `message` does not make.
    static func arguments(_ message: [UInt8]) -> [[UInt8]]? {
        guard message.last == 0 else { return nil }
        return message.dropLast().split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
    }

    /// Checks what the inside asks for: `[-4|-6] [-l USER] HOST COMMAND [ARG...]`, as rsync calls a remote shell.
    ///
    /// The sandbox is there for a sender that does not do what it should. So it must not be able to give ssh an option
    /// (`-oProxyCommand=…` runs anything), nor to choose another host. ssh looks for options after the host as well.
    static func isAllowed(_ arguments: [[UInt8]], host: [UInt8]) -> Bool {
        var rest = arguments[...]
        let dash = UInt8(ascii: "-")
        while let option = rest.first, option.first == dash {
            rest = rest.dropFirst()
            switch String(decoding: option, as: UTF8.self) {
            case "-4", "-6": continue
            case "-l": rest = rest.dropFirst()
            default: return false
            }
        }
        guard rest.popFirst() == host, let command = rest.first else { return false }
        return !command.isEmpty && command.first != dash
    }
}

/// `changes sender-relay`: inside, in the place of ssh.
public enum SenderRelay {
    /// Hands arguments and standard streams to the outside, and waits for the exit status.
    ///
    /// - Parameters:
    ///   - descriptor: the inner end of the bridge; it is closed at the end.
    ///   - arguments: what rsync gave its remote shell.
    /// - Returns: the exit status; 255 when there is none.
    public static func run(_ descriptor: CInt, _ arguments: [[UInt8]]) -> CInt {
        let outside = PacketConnection(owning: descriptor)
        do throws(Errno) {
            let own = try ProcessContext.ownDescriptor()
            try outside.send(SenderBridge.message(arguments), descriptors: [0, 1, 2, own.number])
            if case .packet(let status) = try outside.receive(atMost: 1), let status = status.first {
                return CInt(status)
            }
        } catch {
            StandardError.write(Array("changes: sender-relay: \(error)\n".utf8))
        }
        return SenderBridge.failure
    }
}
