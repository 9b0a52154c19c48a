autocmd BufNewFile,BufRead *.graph setfiletype graph
autocmd FileType graph setlocal commentstring=#\ %s
