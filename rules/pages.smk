# Every table and figure, and a verdict on every claim: one rule each, all of this form. What a page is made of stands in
# cascadebert/catalogue.py; a module of cascadebert/pages writes or draws it.

for name, artefact in catalogue.PAGES.items():

    rule:
        name:
            name
        input:
            page_files(name),
        output:
            first=catalogue.files_of(AT, name)[0],
            beside=catalogue.files_of(AT, name)[1:],
        log:
            f"<logs>/{name}.log",
        localrule: True
        conda:
            "../envs/paper.yaml"
        resources:
            **requests(page_job(name)),
        params:
            page=page_json(name),
            code=page_code(name),
        message:
            artefact.message
        shell:
            "python workflow/scripts/page.py --page {params.page:q} --out {output.first} > {log} 2>&1"
