import LinuxKernel
import SystemPackage

/// A file with a private key (ssh-keygen(1)).
public enum PrivateKeyFile {
    /// Whether the key is encrypted, so that nobody but a person can use it.
    public static func needsPassphrase(_ path: [UInt8]) -> Bool {
        let arguments = ["ssh-keygen", "-y", "-P", "", "-f"].map { Array($0.utf8) } + [path]
        let process = ProgramRun(stop: Deadline(seconds: 5))
        guard let result = try? process.run(arguments), result.status != 0 else { return false }
        return String(decoding: result.errors, as: UTF8.self).contains("passphrase")
    }

    /// How the passphrase is removed.
    public static func remedy(_ word: String) -> String {
        "use a key without one, for this purpose alone: ssh-keygen -p -N '' -f \(word)"
    }
}
